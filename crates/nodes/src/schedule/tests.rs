//! By tables.
