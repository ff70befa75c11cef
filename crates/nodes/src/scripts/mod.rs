//! Nodes that run scripts of the user.

mod code;
mod compiled;
mod function;
mod function_item;
mod helpers;
mod http;
mod results;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[&code::NODE_TYPE, &function::NODE_TYPE, &function_item::NODE_TYPE];
