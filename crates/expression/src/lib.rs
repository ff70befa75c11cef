//! The n8n expression language: templates such as `=Hello {{ $json.name }}` over the data of a run, and the sandbox
//! that runs the JavaScript of expressions and Code nodes. No network, no files, no clock of its own.

pub mod prelude;
mod scope;

pub use scope::{Clock, Globals, NodeContexts, Scope};
