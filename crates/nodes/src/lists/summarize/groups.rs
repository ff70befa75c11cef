//! Items grouped by a value, in the order the values first occur.

use millrace_model::Value;
use rustc_hash::FxHashMap;

use crate::value_key::OwnedKey;

#[derive(Default)]
pub(super) struct Groups {
    places: FxHashMap<OwnedKey, usize>,
    groups: Vec<(Value, Vec<usize>)>,
    /// Place of the group of the item before: neighbours are often alike.
    last: usize,
}

impl Groups {
    pub(super) fn add(&mut self, key: Value, item: usize) {
        if let Some((value, members)) = self.groups.get_mut(self.last)
            && *value == key
        {
            members.push(item);
            return;
        }
        let next = self.groups.len();
        let place = *self.places.entry(OwnedKey(key.clone())).or_insert(next);
        self.last = place;
        match self.groups.get_mut(place) {
            Some((_, members)) => members.push(item),
            None => self.groups.push((key, vec![item])),
        }
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (Value, Vec<usize>)> {
        self.groups.into_iter()
    }
}
