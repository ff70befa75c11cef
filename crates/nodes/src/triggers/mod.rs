//! Nodes that begin runs, and those that answer who began them.

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[];
