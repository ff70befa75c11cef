//! How the fields of two items become one: which side wins, how deep the union goes, or a suffix for each side.

use std::sync::Arc;

use millrace_model::{Binaries, Item, Object, Value, truthy};

/// Nesting up to which objects are united.
const MAX_DEPTH: usize = 128;

/// The option `clashHandling`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clash {
    pub(super) resolve: Resolve,
    deep: bool,
    /// Empty values (`null`, `""`) do not replace others.
    keep_filled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolve {
    /// Nothing is chosen: the last input wins, except where the second input is enriched.
    Unstated,
    /// The input of this index wins.
    Prefer(usize),
    Last,
    /// Both fields stay, with the number of their input behind the name.
    Suffix,
}

impl Clash {
    /// Reads the value of `options.clashHandling.values`.
    pub(super) fn parse(value: Option<&Value>) -> Clash {
        let text = |key: &str| value.and_then(|value| value.get(key)?.as_str());
        let resolve = match text("resolveClash") {
            Some("addSuffix") => Resolve::Suffix,
            Some("preferLast") => Resolve::Last,
            Some(other) => match other.strip_prefix("preferInput").and_then(|number| number.parse::<usize>().ok()) {
                Some(number) => Resolve::Prefer(number.saturating_sub(1)),
                None => Resolve::Unstated,
            },
            None => Resolve::Unstated,
        };
        Clash {
            resolve,
            deep: text("mergeMode") != Some("shallowMerge"),
            keep_filled: value.and_then(|value| value.get("overrideEmpty")).is_some_and(truthy),
        }
    }

    /// Unites JSON objects and binaries; later ones win.
    pub(super) fn unite<'i>(&self, items: impl Iterator<Item = &'i Item> + Clone) -> Item {
        let mut json = Object::new();
        for source in items.clone().filter_map(|item| item.json.as_object()) {
            self.unite_objects(&mut json, source, 0);
        }
        let mut binaries: Option<Binaries> = None;
        for source in items.filter_map(|item| item.binary.as_ref()) {
            match &mut binaries {
                None => binaries = Some(Arc::clone(source)),
                Some(all) => {
                    let all = Arc::make_mut(all);
                    all.extend(source.iter().map(|(name, binary)| (name.clone(), binary.clone())));
                }
            }
        }
        Item { binary: binaries, ..Item::new(json) }
    }

    fn unite_objects(&self, target: &mut Object, source: &Object, depth: usize) {
        if target.is_empty() {
            *target = source.clone();
            return;
        }
        for (key, value) in source.iter() {
            match target.get_mut(key) {
                Some(present) => self.unite_values(present, value, depth),
                None => {
                    target.insert(key.clone(), value.clone());
                }
            }
        }
    }

    fn unite_values(&self, target: &mut Value, source: &Value, depth: usize) {
        let empty = source.is_nullish() || source.as_str() == Some("");
        let keeps = (self.keep_filled && empty) || (self.deep && source.is_undefined());
        if keeps && !target.is_undefined() {
            return;
        }
        if !self.deep || depth >= MAX_DEPTH {
            *target = source.clone();
            return;
        }
        match (target, source) {
            (Value::Object(target), Value::Object(source)) => self.unite_objects(target, source, depth + 1),
            (Value::Array(target), Value::Array(source)) => {
                let target = Arc::make_mut(target);
                for (at, value) in source.iter().enumerate() {
                    match target.get_mut(at) {
                        Some(present) => self.unite_values(present, value, depth + 1),
                        None => target.push(value.clone()),
                    }
                }
            }
            (target, source) => *target = source.clone(),
        }
    }
}

/// The item with `_<number>` behind the name of every field.
pub(super) fn suffixed(item: &Item, number: usize) -> Item {
    let fields = item.json.as_object().into_iter().flat_map(Object::iter);
    let json: Object = fields.map(|(key, value)| (format!("{key}_{number}").into(), value.clone())).collect();
    Item { json: json.into(), ..item.clone() }
}

/// The items, suffixed if the clash handling says so.
pub(super) fn suffixed_if(clash: &Clash, items: &[Item], number: usize) -> Vec<Item> {
    match clash.resolve {
        Resolve::Suffix => items.iter().map(|item| suffixed(item, number)).collect(),
        _ => items.to_vec(),
    }
}
