//! Nodes that decide where items go and when.

mod comparison;
mod deadline;
mod execute_workflow;
mod filter;
mod form;
mod if_node;
mod merge;
mod no_op;
mod split_in_batches;
mod sticky_note;
mod stop_and_error;
mod switch;
mod wait;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &if_node::NODE_TYPE,
    &filter::NODE_TYPE,
    &switch::NODE_TYPE,
    &merge::NODE_TYPE,
    &split_in_batches::NODE_TYPE,
    &wait::NODE_TYPE,
    &form::NODE_TYPE,
    &execute_workflow::NODE_TYPE,
    &no_op::NODE_TYPE,
    &stop_and_error::NODE_TYPE,
    &sticky_note::NODE_TYPE,
];
