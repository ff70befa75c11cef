//! Logs and metrics of the process.

mod logs;
mod metrics;

pub use logs::init as init_logs;
pub use metrics::Metrics;
