//! Nodes that begin runs, and those that answer who began them.

mod cron;
mod email_read_imap;
mod error_trigger;
mod execute_workflow_trigger;
mod form_trigger;
mod interval;
mod manual_trigger;
mod redis_trigger;
mod respond_to_webhook;
mod schedule_trigger;
mod start;
#[cfg(test)]
mod tests;
mod webhook;
mod workflow_finished;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &manual_trigger::NODE_TYPE,
    &start::NODE_TYPE,
    &webhook::NODE_TYPE,
    &form_trigger::NODE_TYPE,
    &respond_to_webhook::NODE_TYPE,
    &schedule_trigger::NODE_TYPE,
    &cron::NODE_TYPE,
    &interval::NODE_TYPE,
    &execute_workflow_trigger::NODE_TYPE,
    &error_trigger::NODE_TYPE,
    &email_read_imap::NODE_TYPE,
    &redis_trigger::NODE_TYPE,
    &workflow_finished::NODE_TYPE,
];
