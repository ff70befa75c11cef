//! Nodes that work on the list of items as a whole: they order, group, split, compare and count it.

mod aggregate;
mod compare_datasets;
mod item_lists;
mod limit;
mod remove_duplicates;
mod rename_keys;
mod sort;
mod split_out;
mod summarize;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &aggregate::NODE_TYPE,
    &compare_datasets::NODE_TYPE,
    &item_lists::NODE_TYPE,
    &limit::NODE_TYPE,
    &remove_duplicates::NODE_TYPE,
    &rename_keys::NODE_TYPE,
    &sort::NODE_TYPE,
    &split_out::NODE_TYPE,
    &summarize::NODE_TYPE,
];
