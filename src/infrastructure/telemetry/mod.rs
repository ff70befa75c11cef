//! Logs and metrics of the process.

mod logs;
mod metrics;
mod tenants;

pub use logs::init as init_logs;
pub use metrics::Metrics;
pub use tenants::tenant_label;
