//! Nodes that talk to other machines.

pub(crate) mod http;
mod http_request;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[&http_request::NODE_TYPE];
