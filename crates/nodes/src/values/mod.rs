//! Nodes that compute new values for each item: dates, hashes, tokens, markup.

pub(crate) mod dates;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[];
