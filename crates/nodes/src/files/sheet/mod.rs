//! Tables of cells, and the file formats they are read from and written to. Knows nothing of nodes.

mod archive;
mod csv;
mod html;
mod infer;
mod ods;
mod records;
mod rtf;
#[cfg(test)]
mod tests;
mod workbook;
mod xls;
mod xlsx;

pub(crate) use csv::{CsvRead, read_records, write_csv};
pub(crate) use records::{Header, RecordOptions, from_objects, to_records};

use millrace_model::{Str, format_number};

use crate::files::FileFormat;

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Cell {
    #[default]
    Empty,
    Text(Str),
    Number(f64),
    Bool(bool),
}

impl Cell {
    /// The cell as spreadsheets show it.
    pub(crate) fn shown(&self) -> Str {
        match self {
            Cell::Empty => Str::new(),
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => format_number(*number),
            Cell::Bool(true) => "TRUE".into(),
            Cell::Bool(false) => "FALSE".into(),
        }
    }
}

/// A rectangle of cells; short rows end in empty cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sheet {
    pub rows: Vec<Vec<Cell>>,
    /// Column of the first cell of each row, from 0 (it shows in header names of ranges).
    pub first_column: usize,
}

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadOptions {
    /// Sheet by name; the first when absent.
    pub sheet_name: Option<Str>,
    /// Text stays text: no numbers, dates or booleans are recognised in CSV, HTML and RTF.
    pub raw: bool,
}

/// Reads a spreadsheet in the named format. The error is a sentence for people.
pub(crate) fn read(bytes: &[u8], format: FileFormat, options: &ReadOptions) -> Result<Sheet, String> {
    match format {
        FileFormat::Csv => csv::read_sheet(bytes, options.raw),
        FileFormat::Html => html::read(bytes, options.raw),
        FileFormat::Rtf => rtf::read(bytes),
        FileFormat::Xlsx | FileFormat::Xls | FileFormat::Ods => workbook::read(bytes, format, options),
    }
}

/// Writes a sheet. `compress` applies to XLSX and ODS.
pub(crate) fn write(sheet: &Sheet, name: &str, format: FileFormat, compress: bool) -> Result<Vec<u8>, String> {
    match format {
        FileFormat::Csv => Ok(write_csv(sheet, ",")),
        FileFormat::Html => Ok(html::write(sheet)),
        FileFormat::Rtf => Ok(rtf::write(sheet)),
        FileFormat::Xlsx => xlsx::write(sheet, name, compress),
        FileFormat::Ods => ods::write(sheet, name, compress),
        FileFormat::Xls => xls::write(sheet, name),
    }
}

/// Column letters of an index from 0: `A`, `Z`, `AA`.
pub(crate) fn column_name(mut index: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(index % 26).unwrap_or(0)));
        if index < 26 {
            break;
        }
        index = index / 26 - 1;
    }
    letters.iter().rev().collect()
}
