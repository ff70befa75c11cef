//! Nodes that read and write files and file formats.

mod calendar;
mod format;
mod pdf;
mod sheet;

pub(crate) use format::FileFormat;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[];
