//! The binaries of many items on one item.

use std::sync::Arc;

use indexmap::IndexMap;
use millrace_model::{Binaries, BinaryData, Item, Str};

/// All binaries; names that occur again get a number. `unique`: the same file is taken once.
pub(super) fn of_all(items: &[Item], unique: bool) -> Option<Binaries> {
    let mut all: IndexMap<Str, BinaryData> = IndexMap::new();
    for (name, binary) in items.iter().filter_map(|item| item.binary.as_ref()).flat_map(|binaries| binaries.iter()) {
        if unique && all.values().any(|other| is_same_file(other, binary)) {
            continue;
        }
        let mut free = name.clone();
        let mut number = 1;
        while all.contains_key(&free) {
            free = format!("{name}_{number}").into();
            number += 1;
        }
        all.insert(free, binary.clone());
    }
    (!all.is_empty()).then(|| Arc::new(all))
}

fn is_same_file(left: &BinaryData, right: &BinaryData) -> bool {
    left.mime_type == right.mime_type
        && left.file_type == right.file_type
        && left.file_name == right.file_name
        && left.file_extension == right.file_extension
        && left.file_size == right.file_size
        && (left.data == right.data || left.id.is_some())
}
