//! Nodes that decide where items go and when.

mod no_op;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[&no_op::NODE_TYPE];
