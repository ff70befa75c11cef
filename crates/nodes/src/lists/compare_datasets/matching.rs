//! Which items of the two inputs belong together. Strict comparison goes by hash; forgiving comparison has no hash and
//! compares one by one.

use millrace_model::{Item, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::fuzzy::Comparison;
use super::{Pair, Plan};
use crate::dot_path;
use crate::value_key::ValueKey;

#[derive(Default)]
pub(super) struct Found {
    /// Places in the first input with the places in the second that belong to them.
    pub matched: Vec<(usize, Vec<usize>)>,
    pub only_first: Vec<usize>,
    pub only_second: Vec<usize>,
}

pub(super) fn find(plan: &Plan, first: &[Item], second: &[Item]) -> Found {
    let targets: Vec<Vec<ValueKey<'_>>> = second.iter().map(|item| values(plan, item, |pair| &pair.second)).collect();
    let mut by_key: FxHashMap<&[ValueKey<'_>], Vec<usize>> = FxHashMap::default();
    if plan.comparison == Comparison::Strict {
        for (at, values) in targets.iter().enumerate() {
            by_key.entry(values).or_default().push(at);
        }
    }
    let most = if plan.all_matches { usize::MAX } else { 1 };
    let mut found = Found::default();
    let mut used = FxHashSet::default();
    for (at, item) in first.iter().enumerate() {
        let wanted = values(plan, item, |pair| &pair.first);
        if wanted.iter().any(|value| value.0.is_undefined()) {
            found.only_first.push(at);
            continue;
        }
        let partners: Vec<usize> = if plan.comparison == Comparison::Strict {
            by_key.get(wanted.as_slice()).into_iter().flatten().take(most).copied().collect()
        } else {
            let fits = |values: &[ValueKey<'_>]| {
                wanted.iter().zip(values).all(|(left, right)| plan.comparison.is_equal(left.0, right.0))
            };
            targets.iter().enumerate().filter(|(_, values)| fits(values)).map(|(at, _)| at).take(most).collect()
        };
        if partners.is_empty() {
            found.only_first.push(at);
        } else {
            used.extend(partners.iter().copied());
            found.matched.push((at, partners));
        }
    }
    found.only_second = (0..second.len()).filter(|at| !used.contains(at)).collect();
    found
}

fn values<'i>(plan: &Plan, item: &'i Item, field: impl Fn(&Pair) -> &str) -> Vec<ValueKey<'i>> {
    const ABSENT: &Value = &Value::Undefined;
    let value = |pair: &Pair| ValueKey(dot_path::get_as(&item.json, field(pair), plan.literal).unwrap_or(ABSENT));
    plan.pairs.iter().map(value).collect()
}
