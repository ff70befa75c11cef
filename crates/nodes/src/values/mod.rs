//! Nodes that compute new values for each item: dates, hashes, tokens, markup.

mod crypto;
mod date_time;
mod debug_helper;
mod digest;
mod execution_data;
pub(crate) mod html;
mod html_extract;
pub(crate) mod jwt;
mod markdown;
mod pem;
mod totp;
mod training_customer_datastore;
mod training_customer_messenger;
pub(crate) mod xml;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &crypto::NODE_TYPE,
    &date_time::NODE_TYPE,
    &debug_helper::NODE_TYPE,
    &execution_data::NODE_TYPE,
    &html::NODE_TYPE,
    &html_extract::NODE_TYPE,
    &jwt::NODE_TYPE,
    &markdown::NODE_TYPE,
    &totp::NODE_TYPE,
    &training_customer_datastore::NODE_TYPE,
    &training_customer_messenger::NODE_TYPE,
    &xml::NODE_TYPE,
];
