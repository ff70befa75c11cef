//! Old comparisons, by tables.
