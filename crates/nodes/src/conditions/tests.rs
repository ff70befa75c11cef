//! Conditions, by tables.
