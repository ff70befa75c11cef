//! XLSX written by rust_xlsxwriter, which always compresses.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::{Cell, Sheet, archive};

pub(super) fn write(sheet: &Sheet, name: &str, compress: bool) -> Result<Vec<u8>, String> {
    let bytes = fill(sheet, name).map_err(|problem| problem.to_string())?;
    if compress { Ok(bytes) } else { archive::stored(bytes).map_err(|problem| problem.to_string()) }
}

fn fill(sheet: &Sheet, name: &str) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    page.set_name(name)?;
    for (row, cells) in (0_u32..).zip(&sheet.rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => drop(page.write_string(row, column, text.as_str())?),
                Cell::Number(number) => drop(page.write_number(row, column, *number)?),
                Cell::Bool(value) => drop(page.write_boolean(row, column, *value)?),
            }
        }
    }
    book.save_to_buffer()
}
