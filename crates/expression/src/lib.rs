//! The n8n expression language: templates such as `=Hello {{ $json.name }}` over the data of a run, and the sandbox
//! that runs the JavaScript of expressions and Code nodes. No network, no files, no clock of its own.

mod bytecode;
mod cache;
mod code;
mod convert;
mod deadline;
mod engine;
mod errors;
mod frame;
mod heap;
mod host;
mod intl;
pub mod jsonl;
mod native;
mod pairing;
pub mod prelude;
mod realm;
mod rewrite;
mod sandbox;
mod scope;
mod script;
mod template;
#[cfg(test)]
mod tests;
mod thrown;
mod tim_sort;
mod tokens;
mod wording;

pub use sandbox::{Limits, Sandbox};
pub use scope::{Clock, Globals, NodeContexts, Scope};
pub use script::{Script, ScriptHost, ScriptKind, ScriptOutcome};
pub use template::{Path, Template};
pub use tim_sort::tim_sort;
