//! Nodes that make new items of the items they are given.

mod set;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[&set::NODE_TYPE];
