//! Nodes that begin runs, and those that answer who began them.

mod error_trigger;
mod execute_workflow_trigger;
mod manual_trigger;
mod start;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] =
    &[&manual_trigger::NODE_TYPE, &start::NODE_TYPE, &execute_workflow_trigger::NODE_TYPE, &error_trigger::NODE_TYPE];
