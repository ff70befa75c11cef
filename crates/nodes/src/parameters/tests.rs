//! Filling in defaults, by tables.
