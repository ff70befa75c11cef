//! How two items that belong together differ, and what is put out for them.

use millrace_model::{ExecutionError, Item, Object, PairedItem, Value};

use super::{Plan, Resolve, fields_of};
use crate::dot_path;

const ABSENT: &Value = &Value::Undefined;

impl Plan {
    /// Are two items that belong together equal in all fields that count?
    pub(super) fn is_same(&self, first: &Item, second: &Item) -> bool {
        let (first, second) = (fields_of(first), fields_of(second));
        let counts = |key: &&millrace_model::Str| !self.skipped.contains(key);
        first.keys().chain(second.keys()).filter(counts).all(|key| {
            self.criteria.comparison.is_equal(first.get(key).unwrap_or(ABSENT), second.get(key).unwrap_or(ABSENT))
        })
    }

    /// What is put out for two items that differ.
    pub(super) fn resolved(&self, first: &Item, second: &Item) -> Result<Item, ExecutionError> {
        Ok(match &self.resolve {
            Resolve::First => first.clone(),
            Resolve::Second => second.clone(),
            Resolve::Both => self.side_by_side(first, second),
            Resolve::Mix { prefers_first, except } => {
                let (preferred, other) = if *prefers_first { (first, second) } else { (second, first) };
                let mut json = fields_of(preferred);
                for name in except {
                    match dot_path::get_as(&other.json, name, self.criteria.literal) {
                        Some(value) => dot_path::set_as(&mut json, name, value.clone(), self.criteria.literal)?,
                        None => {
                            json.remove(name);
                        }
                    }
                }
                Item { json: json.into(), paired_item: first.paired_item.clone(), ..Item::default() }
            }
        })
    }

    /// `keys`, `same` and `different` fields of both.
    fn side_by_side(&self, first: &Item, second: &Item) -> Item {
        let (left, right) = (fields_of(first), fields_of(second));
        let keys: Object = self
            .criteria
            .pairs
            .iter()
            .map(|pair| (pair.first.clone(), left.get(&pair.first).cloned().unwrap_or_default()))
            .collect();
        let labels = if self.version < 2.0 { ("input1", "input2") } else { ("inputA", "inputB") };
        let missing_may_be_same = self.version >= 2.1;
        let shown = |value: Option<&Value>| value.filter(|value| !value.is_undefined()).cloned().unwrap_or(Value::Null);
        let (mut same, mut different, mut skipped) = (Object::new(), Object::new(), Object::new());
        let in_both = |key: &str| left.contains_key(key) && right.contains_key(key);
        let only_right = right.keys().filter(|key| !left.contains_key(key));
        for key in left.keys().chain(only_right) {
            let (own, other) = (left.get(key), right.get(key));
            let equal = self.criteria.comparison.is_equal(own.unwrap_or(ABSENT), other.unwrap_or(ABSENT));
            if equal && (missing_may_be_same || in_both(key)) {
                same.insert(key.clone(), own.or(other).cloned().unwrap_or_default());
            } else if !self.skipped.contains(key) || self.version < 2.0 {
                let both = Object::from([(labels.0, shown(own)), (labels.1, shown(other))]);
                let list = if self.skipped.contains(key) { &mut skipped } else { &mut different };
                list.insert(key.clone(), both);
            }
        }
        let mut json = Object::from([("keys", keys.into()), ("same", same.into()), ("different", different.into())]);
        if !skipped.is_empty() {
            json.insert("skipped", skipped);
        }
        let links = [first, second].into_iter().filter_map(|item| item.paired_item.clone()).collect();
        Item { paired_item: Some(PairedItem::Many(links)), ..Item::new(json) }
    }
}
