//! Nodes that talk to a service: mail, messaging, databases, the operating system.

mod attachments;
mod data_table;
mod email_send;
mod execute_command;
mod postgres;
mod redis;
mod send_grid;
#[cfg(test)]
mod tests;
mod twilio;
mod vendor_api;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &data_table::NODE_TYPE,
    &email_send::NODE_TYPE,
    &execute_command::NODE_TYPE,
    &postgres::NODE_TYPE,
    &redis::NODE_TYPE,
    &send_grid::NODE_TYPE,
    &twilio::NODE_TYPE,
];
