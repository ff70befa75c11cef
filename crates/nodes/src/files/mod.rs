//! Nodes that read and write files and file formats.

mod binary;
mod calendar;
mod compression;
mod convert_to_file;
mod event;
mod extract_from_file;
mod format;
mod i_cal;
mod move_binary_data;
#[cfg(test)]
mod node_tests;
mod pdf;
mod read_binary_file;
mod read_binary_files;
mod read_pdf;
mod read_write_file;
mod sheet;
mod sheet_options;
mod spreadsheet_file;
#[cfg(test)]
mod tests;
mod text_encoding;
mod write_binary_file;

pub(crate) use binary::{find, load};
use format::FileFormat;

use crate::NodeType;

pub(crate) static NODE_TYPES: &[&NodeType] = &[
    &compression::NODE_TYPE,
    &convert_to_file::NODE_TYPE,
    &extract_from_file::NODE_TYPE,
    &i_cal::NODE_TYPE,
    &move_binary_data::NODE_TYPE,
    &read_binary_file::NODE_TYPE,
    &read_binary_files::NODE_TYPE,
    &read_pdf::NODE_TYPE,
    &read_write_file::NODE_TYPE,
    &spreadsheet_file::NODE_TYPE,
    &write_binary_file::NODE_TYPE,
];
