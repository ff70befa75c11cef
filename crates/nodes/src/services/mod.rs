//! Nodes that talk to a service: mail, messaging, databases, the operating system.

mod email_send;
mod execute_command;
mod redis;
mod send_grid;
mod twilio;
mod vendor_api;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &email_send::NODE_TYPE,
    &execute_command::NODE_TYPE,
    &redis::NODE_TYPE,
    &send_grid::NODE_TYPE,
    &twilio::NODE_TYPE,
];
