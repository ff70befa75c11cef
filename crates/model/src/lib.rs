//! The words every other crate speaks: JSON values, items, workflows and the data of a run.
//! Pure data: no evaluation, no IO, no clock.

mod binary;
mod error;
mod item;
mod number;
mod object;
mod problem;
mod run_data;
mod value;
mod value_serde;
mod workflow;
mod workflow_parse;

#[cfg(test)]
mod tests;

pub use binary::{Binaries, BinaryData, human_size};
pub use error::ExecutionError;
pub use item::{Item, PairedItem, PairedRef};
pub use number::{format_number, parse_number, to_index};
pub use object::Object;
pub use problem::Problem;
pub use run_data::{Items, NodeRun, NodeStatus, Outputs, RunData, Source, items_of};
pub use value::{Value, truthy};
pub use workflow::{Connection, Connections, ErrorPolicy, ExecutionOrder, Node, NodeIndex, Settings, Workflow};

/// A short, cheaply cloned, immutable string (15 bytes inline, shared beyond).
pub type Str = ecow::EcoString;
