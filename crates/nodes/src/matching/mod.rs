//! Which items of two lists belong together because fields of theirs are equal.

mod comparison;

pub(crate) use comparison::Comparison;

use millrace_model::{ExecutionError, Item, Str, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::dot_path;
use crate::value_key::ValueKey;

/// What makes two items belong together.
#[derive(Debug)]
pub(crate) struct Criteria {
    /// Fields of the first and of the second list that must be equal.
    pub(crate) pairs: Vec<Pair>,
    /// Names are whole names, not paths.
    pub(crate) literal: bool,
    pub(crate) comparison: Comparison,
    /// All partners of an item, not only the first.
    pub(crate) all_matches: bool,
}

/// A field of the first and one of the second list.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) first: Str,
    pub(crate) second: Str,
}

/// Places in the two lists.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Places in the first list with the places in the second that belong to them.
    pub(crate) matched: Vec<(usize, Vec<usize>)>,
    pub(crate) only_first: Vec<usize>,
    pub(crate) only_second: Vec<usize>,
}

impl Found {
    /// Places in the second list that belong to one in the first, ascending.
    pub(crate) fn used_second(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self.matched.iter().flat_map(|(_, partners)| partners.iter().copied()).collect();
        used.sort_unstable();
        used.dedup();
        used
    }
}

/// Pairs the items of two lists. Strict comparison goes by hash; forgiving comparison has none and compares one by one.
pub(crate) fn find(criteria: &Criteria, first: &[Item], second: &[Item]) -> Found {
    let targets: Vec<Vec<ValueKey<'_>>> =
        second.iter().map(|item| values(criteria, item, |pair| &pair.second)).collect();
    let mut by_key: FxHashMap<&[ValueKey<'_>], Vec<usize>> = FxHashMap::default();
    if criteria.comparison == Comparison::Strict {
        for (at, values) in targets.iter().enumerate() {
            by_key.entry(values).or_default().push(at);
        }
    }
    let most = if criteria.all_matches { usize::MAX } else { 1 };
    let mut found = Found::default();
    let mut used = FxHashSet::default();
    for (at, item) in first.iter().enumerate() {
        let wanted = values(criteria, item, |pair| &pair.first);
        if wanted.iter().any(|value| value.0.is_undefined()) {
            found.only_first.push(at);
            continue;
        }
        let partners: Vec<usize> = if criteria.comparison == Comparison::Strict {
            by_key.get(wanted.as_slice()).into_iter().flatten().take(most).copied().collect()
        } else {
            let fits = |values: &[ValueKey<'_>]| {
                wanted.iter().zip(values).all(|(left, right)| criteria.comparison.is_equal(left.0, right.0))
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

/// Reads the list of a `mergeByFields` parameter: `[{field1, field2}, …]`.
pub(crate) fn pairs(value: &Value) -> Result<Vec<Pair>, ExecutionError> {
    let field = |entry: &Value, name: &str| entry.get(name).map(Value::to_js_string).unwrap_or_default();
    let entries = value.as_array().unwrap_or_default().iter();
    let pairs: Vec<Pair> =
        entries.map(|entry| Pair { first: field(entry, "field1"), second: field(entry, "field2") }).collect();
    if pairs.len() <= 1 && pairs.first().is_some_and(|pair| pair.first.is_empty() && pair.second.is_empty()) {
        return Err(ExecutionError::operation(
            "You need to define at least one pair of fields in \"Fields to Match\" to match on",
        ));
    }
    for (at, pair) in pairs.iter().enumerate() {
        if pair.first.is_empty() || pair.second.is_empty() {
            return Err(ExecutionError::operation(format!(
                "You need to define both fields in \"Fields to Match\" for pair {},\n field 1 = '{}'\n field 2 = '{}'",
                at + 1,
                pair.first,
                pair.second
            )));
        }
    }
    Ok(pairs)
}

fn values<'i>(criteria: &Criteria, item: &'i Item, field: impl Fn(&Pair) -> &str) -> Vec<ValueKey<'i>> {
    const ABSENT: &Value = &Value::Undefined;
    let value = |pair: &Pair| ValueKey(dot_path::get_as(&item.json, field(pair), criteria.literal).unwrap_or(ABSENT));
    criteria.pairs.iter().map(value).collect()
}
