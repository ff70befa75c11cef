//! Runs of whole workflows with the built-in node types.
