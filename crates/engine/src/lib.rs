//! The run of a workflow as a state machine: which node comes next, with which input, and what becomes of its outcome.
//! No IO, no clock, no randomness: whoever drives it executes the nodes and tells the time.
//! The same workflow, start and list of [`Event`]s always give the same state.

mod event;
mod facts;
mod follow;
mod legacy;
mod outcome;
mod pairing;
mod partial;
mod pending;
mod run;
mod validate;

#[cfg(test)]
mod tests;

pub use event::{Event, NodeOutcome, NodeTask, Options, Outcome, Pause, Resume, Start, Status, Step, Stop};
pub use facts::{Facts, NodeFacts, Required};
pub use partial::Partial;
pub use run::Run;
pub use validate::{Kind, NodeKinds, choose_start, choose_start_of_call, validate};
