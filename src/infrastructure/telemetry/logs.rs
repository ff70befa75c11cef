//! Log lines on standard error: readable on a terminal, JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::infrastructure::config::{Log, LogFormat};

/// Starts logging. Call once; later calls change nothing.
pub fn init(config: &Log) {
    // Checked when the configuration was read; the fallback is never used.
    let filter = config.filter.parse::<Targets>().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    let json = match config.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let layer = if json {
        fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
    } else {
        fmt::layer().with_target(false).with_writer(std::io::stderr).boxed()
    };
    // An error means that a test, or an embedding program, logs already.
    drop(tracing_subscriber::registry().with(layer.with_filter(filter)).try_init());
}
