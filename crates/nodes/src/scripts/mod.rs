//! Nodes that run scripts of the user.

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[];
