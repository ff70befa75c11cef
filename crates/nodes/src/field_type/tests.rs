//! Field types, by tables.
