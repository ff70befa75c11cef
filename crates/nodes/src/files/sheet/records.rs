//! Sheets to JSON records and back: header names, blank rows, ranges.

use millrace_model::{Item, Object, Str, Value};
use rustc_hash::FxHashMap;

use super::{Cell, Sheet};

/// The last row that a sheet can have, from 0.
const LAST_ROW: usize = 1_048_575;

/// How rows become records.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordOptions {
    pub header: Header,
    /// Empty cells are written as empty text instead of being left out.
    pub include_empty: bool,
    /// `A2:B3`, or the number of the first row (from 0).
    pub range: Option<Str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Header {
    /// The first row names the fields.
    #[default]
    FirstRow,
    /// No names: a record is `{"row": [..]}`.
    None,
}

/// The records of a sheet. Blank rows are left out where the first row names the fields.
pub(crate) fn to_records(sheet: Sheet, options: &RecordOptions) -> Result<Vec<Object>, String> {
    let sheet = match &options.range {
        Some(range) if !range.is_empty() => cut(sheet, range)?,
        _ => sheet,
    };
    let width = sheet.rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut rows = sheet.rows.into_iter();
    let names = match options.header {
        Header::None => Vec::new(),
        Header::FirstRow => names(&rows.next().unwrap_or_default(), width),
    };
    let blank = |row: &Vec<Cell>| row.iter().all(|cell| *cell == Cell::Empty);
    let record = |row: Vec<Cell>| match options.header {
        Header::None => {
            let last = row.iter().rposition(|cell| *cell != Cell::Empty).map_or(0, |at| at + 1);
            let values = row.into_iter().take(if options.include_empty { width } else { last });
            Object::from([("row", Value::array(values.map(|cell| value(cell, options.include_empty))))])
        }
        Header::FirstRow => {
            let cells = row.into_iter().chain(std::iter::repeat(Cell::Empty));
            let fields = names.iter().cloned().zip(cells.map(|cell| value(cell, options.include_empty)));
            fields.filter(|(_, value)| !value.is_undefined()).collect()
        }
    };
    let keeps_blank = options.header == Header::None;
    Ok(rows.filter(|row| keeps_blank || !blank(row)).map(record).collect())
}

fn value(cell: Cell, include_empty: bool) -> Value {
    match cell {
        Cell::Empty if include_empty => Value::from(""),
        Cell::Empty => Value::Undefined,
        Cell::Text(text) => Value::String(text),
        Cell::Number(number) => Value::Number(number),
        Cell::Bool(value) => Value::Bool(value),
    }
}

/// Field names of a header row: blanks are `__EMPTY`, repeated names get `_1`, `_2`, ….
fn names(row: &[Cell], width: usize) -> Vec<Str> {
    let mut seen: FxHashMap<Str, usize> = FxHashMap::default();
    let cells = row.iter().chain(std::iter::repeat(&Cell::Empty)).take(width);
    let named = cells.map(|cell| {
        let base = if *cell == Cell::Empty { Str::from("__EMPTY") } else { cell.shown() };
        let count = seen.entry(base.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { base } else { ecow::eco_format!("{base}_{}", *count - 1) }
    });
    named.collect()
}

/// The part of a sheet that a range names.
fn cut(sheet: Sheet, range: &str) -> Result<Sheet, String> {
    let unreadable = || format!("the range \"{range}\" cannot be read: write it as A2:B3 or as a row number");
    if let Ok(first) = range.parse::<usize>() {
        return Ok(Sheet { rows: sheet.rows.into_iter().skip(first).collect(), ..sheet });
    }
    let range = range.rsplit_once('!').map_or(range, |(_, range)| range);
    let (from, to) = range.split_once(':').unwrap_or((range, range));
    let (left, top) = corner(from).ok_or_else(unreadable)?;
    let (right, bottom) = corner(to).ok_or_else(unreadable)?;
    let top = top.unwrap_or(0);
    let rows =
        sheet.rows.into_iter().skip(top).take(bottom.map_or(usize::MAX, |bottom| (bottom + 1).saturating_sub(top)));
    let mut rows: Vec<Vec<Cell>> =
        rows.map(|row| row.into_iter().skip(left).take((right + 1).saturating_sub(left)).collect()).collect();
    if let Some(bottom) = bottom.filter(|_| from != to) {
        // What the range names below the sheet is blank.
        let height = (bottom.min(LAST_ROW) + 1).saturating_sub(top);
        rows.resize(rows.len().max(height), Vec::new());
    }
    Ok(Sheet { rows, first_column: left })
}

/// Column and row (both from 0) of `B3`; the row is absent in `B`.
fn corner(text: &str) -> Option<(usize, Option<usize>)> {
    let text = text.trim().replace('$', "").to_ascii_uppercase();
    let letters = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = text.strip_prefix(letters)?;
    if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let column = letters.bytes().fold(0, |sum, byte| sum * 26 + usize::from(byte - b'A') + 1) - 1;
    match digits {
        "" => Some((column, None)),
        digits => Some((column, Some(digits.parse::<usize>().ok()?.checked_sub(1)?))),
    }
}

/// A sheet of items: a header row of all field names in order of first appearance, then a row an item. Nested objects
/// and lists are flattened to dotted names (`a.b`, `list.0`).
pub(crate) fn from_objects(items: &[Item], header: Header) -> Sheet {
    let mut columns: FxHashMap<Str, usize> = FxHashMap::default();
    let mut names: Vec<Str> = Vec::new();
    let mut rows = Vec::with_capacity(items.len() + 1);
    for item in items {
        let mut row: Vec<Cell> = Vec::new();
        let mut put = |name: Str, cell: Cell| {
            let column = *columns.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            });
            if row.len() <= column {
                row.resize(column + 1, Cell::Empty);
            }
            if let Some(place) = row.get_mut(column) {
                *place = cell;
            }
        };
        flatten(&item.json, None, &mut put);
        rows.push(row);
    }
    if header == Header::FirstRow {
        rows.insert(0, names.into_iter().map(Cell::Text).collect());
    }
    Sheet { rows, first_column: 0 }
}

fn flatten(value: &Value, prefix: Option<&str>, put: &mut impl FnMut(Str, Cell)) {
    let mut field = |key: &str, value: &Value| {
        let name = prefix.map_or_else(|| key.into(), |prefix| ecow::eco_format!("{prefix}.{key}"));
        match value {
            Value::Object(_) | Value::Array(_) => flatten(value, Some(&name), put),
            Value::Undefined | Value::Null => put(name, Cell::Empty),
            Value::Bool(value) => put(name, Cell::Bool(*value)),
            Value::Number(number) => put(name, Cell::Number(*number)),
            Value::String(text) => put(name, Cell::Text(text.clone())),
        }
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| field(key, value)),
        Value::Array(values) => values.iter().enumerate().for_each(|(at, value)| field(&at.to_string(), value)),
        _ => {}
    }
}
