//! The node, by tables.
