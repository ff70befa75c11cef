//! Limits of what one run may hold in memory.

use std::time::Duration;

use millrace_model::{ExecutionError, Item, Outputs, Value};

/// Limits of one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Items that all node runs together may put out.
    pub items: usize,
    /// Bytes (estimated) that all node runs together may put out.
    pub bytes: usize,
    /// Time for the whole run; `None`: as long as it takes.
    pub timeout: Option<Duration>,
    /// Limits of one expression or script.
    pub sandbox: millrace_expression::Limits,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { items: 10_000_000, bytes: 2 << 30, timeout: None, sandbox: millrace_expression::Limits::default() }
    }
}

/// Counts what a run has put out so far.
#[derive(Debug)]
pub(crate) struct Guard {
    limits: Limits,
    items: usize,
    bytes: usize,
}

/// Items of a list that are looked at to estimate its size.
const SAMPLES: usize = 32;

impl Guard {
    pub(crate) fn new(limits: Limits) -> Guard {
        Guard { limits, items: 0, bytes: 0 }
    }

    /// Adds the outputs of a node run.
    pub(crate) fn check(&mut self, outputs: &Outputs) -> Result<(), ExecutionError> {
        for items in outputs.iter().flatten() {
            self.items = self.items.saturating_add(items.len());
            self.bytes = self.bytes.saturating_add(estimate(items));
        }
        let exceeded = |what: String| {
            let message = format!("The execution was stopped because its data got too large: more than {what}");
            let error = ExecutionError::new("WorkflowOperationError", message);
            Err(error.describe("Process fewer items at a time, for example in a loop or in a sub-workflow"))
        };
        match () {
            () if self.items > self.limits.items => exceeded(format!("{} items", self.limits.items)),
            () if self.bytes > self.limits.bytes => exceeded(format!("{} MB", self.limits.bytes >> 20)),
            () => Ok(()),
        }
    }
}

/// Estimated bytes of a list of items, from samples spread over it.
fn estimate(items: &[Item]) -> usize {
    let stride = items.len().div_ceil(SAMPLES).max(1);
    let sampled = items.iter().step_by(stride);
    sampled.map(size_of_item).fold(0_usize, usize::saturating_add).saturating_mul(stride)
}

fn size_of_item(item: &Item) -> usize {
    let binaries = item.binary.iter().flat_map(|binaries| binaries.values()).map(|binary| binary.data.len());
    let mut left = 10_000;
    size_of::<Item>() + binaries.sum::<usize>() + size_of_value(&item.json, &mut left)
}

/// Size of a value; stops counting after so many parts.
fn size_of_value(value: &Value, left: &mut usize) -> usize {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return 0;
    }
    let inside: usize = match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| size_of_value(value, left)).sum(),
        Value::Object(object) => object.iter().map(|(key, value)| key.len() + 16 + size_of_value(value, left)).sum(),
        _ => 0,
    };
    inside + size_of::<Value>()
}
