//! XLS (BIFF8): one sheet of text, numbers and truth values, no styles. Record layouts: MS-XLS 2.4.

use std::io::{Cursor, Write};

use cfb::CompoundFile;

use super::{Cell, Sheet};

/// Rows and columns the format can address.
const MAX_ROWS: usize = 65_536;
const MAX_COLUMNS: usize = 256;
/// Most characters of a LABEL record's text: the record is at most 8,224 bytes long.
const MAX_TEXT: usize = 4_000;

pub(super) fn write(sheet: &Sheet, name: &str) -> Result<Vec<u8>, String> {
    let width = sheet.rows.iter().map(Vec::len).max().unwrap_or(0);
    if sheet.rows.len() > MAX_ROWS || width > MAX_COLUMNS {
        let size = format!("{} rows and {width} columns", sheet.rows.len());
        return Err(format!(
            "an XLS file holds {MAX_ROWS} rows and {MAX_COLUMNS} columns, not {size}; write XLSX instead"
        ));
    }
    let stream = workbook(sheet, name, width);
    pack(&stream).map_err(|problem| problem.to_string())
}

fn pack(stream: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut file = CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new()))?;
    file.create_stream("/Workbook")?.write_all(stream)?;
    file.flush()?;
    Ok(file.into_inner().into_inner())
}

fn workbook(sheet: &Sheet, name: &str, width: usize) -> Vec<u8> {
    let mut globals = Vec::new();
    bof(&mut globals, 0x0005);
    record(&mut globals, 0x0042, &1200_u16.to_le_bytes()); // CODEPAGE: UTF-16
    for _ in 0..4 {
        record(&mut globals, 0x0031, &font()); // FONT: the four built-in ones
    }
    record(&mut globals, 0x00e0, &[0; 20]); // XF: the default cell format
    let place = globals.len() + 4;
    let mut bound = vec![0; 6]; // BOUNDSHEET8: position (filled in below), visible, worksheet
    let units: Vec<u16> = name.encode_utf16().take(31).collect();
    bound.push(u8::try_from(units.len()).unwrap_or(31));
    bound.push(1);
    bound.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    record(&mut globals, 0x0085, &bound);
    record(&mut globals, 0x000a, &[]); // EOF
    let position = u32::try_from(globals.len()).unwrap_or(u32::MAX).to_le_bytes();
    for (target, byte) in globals.iter_mut().skip(place).zip(position) {
        *target = byte;
    }
    cells(&mut globals, sheet, width);
    globals
}

fn cells(stream: &mut Vec<u8>, sheet: &Sheet, width: usize) {
    bof(stream, 0x0010);
    let rows = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX);
    let mut dimensions = [0_u32.to_le_bytes(), rows.to_le_bytes()].concat();
    dimensions.extend([0, 0]);
    dimensions.extend(u16::try_from(width).unwrap_or(u16::MAX).to_le_bytes());
    dimensions.extend([0, 0]);
    record(stream, 0x0200, &dimensions);
    for (row, line) in (0_u16..=u16::MAX).zip(&sheet.rows) {
        for (column, cell) in (0_u16..).zip(line) {
            let mut body = [row.to_le_bytes(), column.to_le_bytes(), [0, 0]].concat();
            match cell {
                Cell::Empty => continue,
                Cell::Number(number) => {
                    body.extend(number.to_le_bytes());
                    record(stream, 0x0203, &body);
                }
                Cell::Bool(value) => {
                    body.extend([u8::from(*value), 0]);
                    record(stream, 0x0205, &body);
                }
                Cell::Text(text) => {
                    let units: Vec<u16> = text.encode_utf16().take(MAX_TEXT).collect();
                    body.extend(u16::try_from(units.len()).unwrap_or(0).to_le_bytes());
                    body.push(1);
                    body.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
                    record(stream, 0x0204, &body);
                }
            }
        }
    }
    record(stream, 0x000a, &[]);
}

fn bof(stream: &mut Vec<u8>, kind: u16) {
    let mut body =
        [0x0600_u16.to_le_bytes(), kind.to_le_bytes(), 0x0dbb_u16.to_le_bytes(), 1996_u16.to_le_bytes()].concat();
    body.extend([0; 8]);
    record(stream, 0x0809, &body);
}

fn font() -> Vec<u8> {
    let mut body = [200_u16, 0, 0x7fff, 400, 0].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    body.extend([0; 4]);
    let name: Vec<u16> = "Arial".encode_utf16().collect();
    body.extend([5, 1]);
    body.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
    body
}

fn record(stream: &mut Vec<u8>, kind: u16, body: &[u8]) {
    stream.extend(kind.to_le_bytes());
    stream.extend(u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes());
    stream.extend(body);
}
