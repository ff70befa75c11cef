//! Nodes that talk to other machines.

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[];
