//! Runs workflows: the engine decides what comes next, the node types do it, a host opens the doors to the world.
//! Knows no server and no database.

mod binary;
mod catalog;
mod compiled;
mod document;
mod execution;
mod guard;
mod helper_nodes;
mod local;
mod observer;
mod runner;

#[cfg(test)]
mod tests;

pub use binary::describe_binary;
pub use catalog::{BuiltIn, Catalog, Entry};
pub use compiled::{Compiled, CompiledNode};
pub use document::{Data, Document, TaskData, last_outputs};
pub use guard::Limits;
pub use helper_nodes::WithHelpers;
pub use local::{Http, LocalExecution, LocalHost, LocalOptions, NoHttp};
pub use observer::{Observer, Replay, ReplayEntry, Unobserved};
pub use runner::{Runner, off_the_pool, outcome_of};
