//! Errors of a run, as they are recorded and shown.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Object, Str, Value};

/// Why a node or a run failed, in n8n's shape.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionError {
    /// JavaScript class name: `NodeOperationError`, `NodeApiError`, `ExpressionError`, `TypeError`, …
    pub name: Str,
    pub message: Str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Str>,
    /// `itemIndex`, `runIndex`, `nodeCause`, `parameter`, …
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub context: Object,
    /// Name of the node that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Str>,
    /// Status of the vendor's answer, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_code: Option<Str>,
    /// Line of a Code node's script, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_number: Option<u32>,
    /// The vendor's own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Str>,
    /// May the node be tried again with hope? (Not for syntax errors and exceeded limits.)
    #[serde(skip)]
    pub permanent: bool,
}

impl ExecutionError {
    pub fn new(name: impl Into<Str>, message: impl Into<Str>) -> ExecutionError {
        ExecutionError { name: name.into(), message: message.into(), ..ExecutionError::default() }
    }

    /// The error a node gives for wrong input or parameters.
    pub fn operation(message: impl Into<Str>) -> ExecutionError {
        ExecutionError::new("NodeOperationError", message)
    }

    /// The error a node gives for a vendor's answer.
    pub fn api(message: impl Into<Str>) -> ExecutionError {
        ExecutionError::new("NodeApiError", message)
    }

    #[must_use]
    pub fn describe(mut self, description: impl Into<Str>) -> ExecutionError {
        self.description = Some(description.into());
        self
    }

    #[must_use]
    pub fn at_item(mut self, index: usize) -> ExecutionError {
        self.context.insert("itemIndex", index);
        self
    }

    #[must_use]
    pub fn with_context(mut self, key: &str, value: impl Into<Value>) -> ExecutionError {
        self.context.insert(key, value);
        self
    }
}

impl fmt::Display for ExecutionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ExecutionError {}
