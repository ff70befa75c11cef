//! Nodes that make new items of the items they are given.

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[];
