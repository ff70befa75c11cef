//! Runs of small workflows with node types made for these tests.

mod binaries;
mod calls;
mod documents;
mod files;
mod journal;
mod limits;
mod stage;
