//! The built-in node types. A node sees its parameters and items through `NodeContext` and the world through
//! `NodeHost`; nothing here opens a socket or a file.

pub mod check;
mod conditions;
mod context;
mod description;
mod dot_path;
mod field_list;
pub mod field_type;
mod files;
mod flow;
pub mod form;
mod host;
mod lenient;
mod lists;
mod matching;
mod network;
mod node_type;
pub mod parameters;
pub mod registry;
mod regular_expression;
pub mod schedule;
mod scripts;
mod services;
#[cfg(test)]
mod testing;
mod transform;
mod triggers;
mod value_key;
mod values;
pub mod webhook;

pub use conditions::Conditions;
pub use context::{NodeContext, NodeResult, Output, Prepared, Wait};
pub use description::{Description, Kind, Properties, Property, Variant};
pub use host::{
    Body, Call, CallSource, CallWait, FileEntry, HttpError, HttpRequest, HttpResponse, NodeHost, TlsIdentity,
    WebhookResponse,
};
pub use lenient::{InferredConnection, inferred_connections};
pub use network::http::{authenticate, authentication_rules, oauth1_authorization};
pub use node_type::{Behaviour, Capability, NodeType, Ports, PortsOf, RequiredInputs, Role};
