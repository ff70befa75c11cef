//! Nodes that run scripts of the user.

mod code;
mod compiled;
mod function;
mod function_item;
mod http;
mod results;
mod script_host;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[&code::NODE_TYPE, &function::NODE_TYPE, &function_item::NODE_TYPE];
