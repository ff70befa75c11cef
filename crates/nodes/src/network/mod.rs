//! Nodes that talk to other machines.

mod graphql;
pub(crate) mod http;
mod http_request;
mod rss_feed_read;
mod rss_feed_read_trigger;
mod slack;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &graphql::NODE_TYPE,
    &http_request::NODE_TYPE,
    &rss_feed_read::NODE_TYPE,
    &rss_feed_read_trigger::NODE_TYPE,
    &slack::NODE_TYPE,
];
