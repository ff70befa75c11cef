//! The built-in node types. A node sees its parameters and items through `NodeContext` and the world through
//! `NodeHost`; nothing here opens a socket or a file.

mod context;
mod description;
mod dot_path;
mod files;
mod flow;
mod host;
mod network;
mod node_type;
pub mod parameters;
pub mod registry;
mod scripts;
mod transform;
mod triggers;

pub use context::{NodeContext, NodeResult, Output, Wait};
pub use description::{Description, Kind, Properties, Property, Variant};
pub use host::{
    Body, Call, CallSource, CallWait, FileEntry, HttpError, HttpRequest, HttpResponse, NodeHost, WebhookResponse,
};
pub use node_type::{Behaviour, Capability, NodeType, Ports, PortsOf, RequiredInputs, Role};
