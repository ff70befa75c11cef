//! Workbooks (XLSX, XLS, ODS) read by calamine. Dates are serial numbers, as cells hold them.

use std::io::Cursor;

use calamine::{Data, Ods, Range, Reader, Xls, Xlsx};

use super::{Cell, ReadOptions, Sheet, archive};
use crate::files::FileFormat;

/// Most cells of a sheet: beyond that the declared dimensions of a small file could fill the memory.
const MAX_CELLS: u64 = 20_000_000;

pub(super) fn read(bytes: &[u8], format: FileFormat, options: &ReadOptions) -> Result<Sheet, String> {
    if format != FileFormat::Xls {
        archive::check(bytes)?;
    }
    let cursor = || Cursor::new(bytes);
    match format {
        FileFormat::Xls => Xls::new(cursor()).map_err(text).and_then(|book| sheet(book, options)),
        FileFormat::Ods => {
            // Writers indent the content, which the reader takes for text where cells should be.
            let bytes = archive::changed(bytes, "content.xml", unindented).map_err(text)?;
            Ods::new(Cursor::new(bytes.as_slice())).map_err(text).and_then(|book| sheet(book, options))
        }
        _ => Xlsx::new(cursor()).map_err(text).and_then(|book| sheet(book, options)),
    }
}

/// XML without the line breaks and blanks that stand between its tags.
fn unindented(xml: &str) -> String {
    let mut made = String::with_capacity(xml.len());
    for (at, piece) in xml.split('<').enumerate() {
        if at > 0 {
            made.push('<');
        }
        let kept = match piece.rsplit_once('>') {
            Some((tag, blank)) if blank.contains('\n') && blank.trim().is_empty() => piece.get(..=tag.len()),
            _ => None,
        };
        made.push_str(kept.unwrap_or(piece));
    }
    made
}

fn text(problem: impl std::fmt::Display) -> String {
    problem.to_string()
}

fn sheet<'a, B>(mut book: B, options: &ReadOptions) -> Result<Sheet, String>
where
    B: Reader<Cursor<&'a [u8]>>,
    B::Error: std::fmt::Display,
{
    let names = book.sheet_names();
    let name = match &options.sheet_name {
        Some(wanted) if !wanted.is_empty() => names
            .iter()
            .find(|name| *name == wanted.as_str())
            .ok_or_else(|| format!("Spreadsheet does not contain sheet called \"{wanted}\"!"))?,
        _ => names.first().ok_or("the file has no sheet")?,
    };
    let range: Range<Data> = book.worksheet_range(name).map_err(text)?;
    let (height, width) = range.get_size();
    let cells = u64::try_from(height).unwrap_or(u64::MAX).saturating_mul(u64::try_from(width).unwrap_or(u64::MAX));
    if cells > MAX_CELLS {
        return Err(format!("the sheet has {height} rows and {width} columns, more than {MAX_CELLS} cells"));
    }
    let first_column = range.start().map_or(0, |(_, column)| usize::try_from(column).unwrap_or(0));
    Ok(Sheet { rows: range.rows().map(|row| row.iter().map(cell).collect()).collect(), first_column })
}

#[expect(clippy::as_conversions, reason = "integers of a workbook are at most 32 bits wide")]
fn cell(data: &Data) -> Cell {
    match data {
        Data::Int(number) => Cell::Number(*number as f64),
        Data::Float(number) => Cell::Number(*number),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => match super::infer::cell(text) {
            Cell::Number(serial) if !matches!(data, Data::String(_)) => Cell::Number(serial),
            _ => Cell::Text(text.into()),
        },
        Data::Bool(value) => Cell::Bool(*value),
        Data::DateTime(moment) => Cell::Number(moment.as_f64()),
        Data::Error(problem) => Cell::Text(problem.to_string().into()),
        _ => Cell::Empty,
    }
}
