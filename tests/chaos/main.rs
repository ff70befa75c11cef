//! Real processes on real servers, some of which are killed: `cargo xtask chaos NAME`. Ignored by `cargo test`, since each
//! takes minutes and wants the machine to itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::panic,
    reason = "a test fails by panicking, and reports as it goes"
)]

mod cluster;
mod schedules;
