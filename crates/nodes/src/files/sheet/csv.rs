//! CSV (RFC 4180) as a sheet with guessed cells, and as records of text.

use millrace_model::{Object, Str, Value};

use super::{Cell, Sheet, infer};

const BOM: &str = "\u{feff}";

/// How CSV is read as records.
#[derive(Clone, Debug)]
pub(crate) struct CsvRead {
    /// One character; `,` by default.
    pub delimiter: Str,
    /// The first line names the fields.
    pub header: bool,
    /// First line to read, from 1; earlier lines are skipped.
    pub from_line: usize,
    /// At most this many records.
    pub max_rows: Option<usize>,
    /// A leading byte order mark is dropped.
    pub strip_bom: bool,
    pub include_empty: bool,
    /// Quotes inside an unquoted field are text.
    pub relax_quotes: bool,
    /// Records with another number of fields than the header are skipped instead of being an error.
    pub skip_errors: bool,
}

/// Reads CSV text into records; all values are text. Without a header a record is `{"row": {"0": …, "1": …}}`.
pub(crate) fn read_records(text: &str, options: &CsvRead) -> Result<Vec<Object>, String> {
    // The reader drops a byte order mark by itself; where it is to be kept it goes back to the first field.
    let mark = if options.strip_bom || options.from_line > 1 || !text.starts_with(BOM) { "" } else { BOM };
    let [delimiter] = options.delimiter.as_bytes() else {
        return Err(format!("the delimiter \"{}\" is not a single ASCII character", options.delimiter));
    };
    let mut text = text;
    for _ in 1..options.from_line.max(1) {
        text = text.split_once('\n').map_or("", |(_, rest)| rest);
    }
    if !options.relax_quotes {
        check_quotes(text, *delimiter)?;
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(*delimiter).from_reader(text.as_bytes());
    let mut names: Option<Vec<Str>> = None;
    let mut records = Vec::new();
    for record in reader.records() {
        if options.max_rows.is_some_and(|max| records.len() >= max) {
            break;
        }
        let record = record.map_err(|problem| problem.to_string())?;
        if record.len() == 1 && record.get(0) == Some("") {
            continue;
        }
        if !options.header {
            let mark = if records.is_empty() { mark } else { "" };
            let row = marked(&record, mark).enumerate().filter(|(_, value)| options.include_empty || !value.is_empty());
            let row: Object = row.map(|(at, value)| (Str::from(at.to_string()), Value::from(value))).collect();
            records.push(Object::from([("row", row.into())]));
            continue;
        }
        let Some(names) = &names else {
            names = Some(marked(&record, mark).collect());
            continue;
        };
        if record.len() != names.len() {
            if options.skip_errors {
                continue;
            }
            let line = record.position().map_or(0, csv::Position::line);
            let (want, got) = (names.len(), record.len());
            return Err(format!("Invalid Record Length: columns length is {want}, got {got} on line {line}"));
        }
        let fields = names.iter().zip(&record).filter(|(_, value)| options.include_empty || !value.is_empty());
        records.push(fields.map(|(name, value)| (name.clone(), Value::from(value))).collect());
    }
    Ok(records)
}

/// The fields of a record, a byte order mark put before the first.
fn marked<'r>(record: &'r csv::StringRecord, mark: &'r str) -> impl Iterator<Item = Str> + 'r {
    record.iter().enumerate().map(move |(at, field)| match at {
        0 if !mark.is_empty() => ecow::eco_format!("{mark}{field}"),
        _ => field.into(),
    })
}

/// Refuses a quote that opens inside a field and a quote that is never closed, as strict readers do.
fn check_quotes(text: &str, delimiter: u8) -> Result<(), String> {
    let (mut quoted, mut line, mut opened, mut previous) = (false, 1_usize, 0, delimiter);
    let mut bytes = text.trim_start_matches(BOM).bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => drop(bytes.next()),
            b'"' if quoted => quoted = false,
            b'"' if previous == delimiter || previous == b'\n' => (quoted, opened) = (true, line),
            b'"' => return Err(format!("Invalid Opening Quote: a quote is found inside a field on line {line}")),
            b'\n' => line += 1,
            _ => {}
        }
        previous = byte;
    }
    if quoted {
        Err(format!("Quote Not Closed: the parsing is finished with an opening quote at line {opened}"))
    } else {
        Ok(())
    }
}

/// Reads CSV as a spreadsheet program does: the delimiter and the kind of each cell are guessed.
pub(super) fn read_sheet(bytes: &[u8], raw: bool) -> Result<Sheet, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix(BOM).unwrap_or(&text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(guess_delimiter(text))
        .from_reader(text.as_bytes());
    let cell = |text: &str| match text {
        "" => Cell::Empty,
        text if raw => Cell::Text(text.into()),
        text => infer::cell(text),
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(record.map_err(|problem| problem.to_string())?.iter().map(cell).collect());
    }
    Ok(Sheet { rows, first_column: 0 })
}

/// The most frequent of comma, tab, semicolon and pipe in the first kilobyte, outside quotes.
fn guess_delimiter(text: &str) -> u8 {
    let (mut counts, mut quoted) = ([(b',', 0), (b'\t', 0), (b';', 0), (b'|', 0)], false);
    for byte in text.bytes().take(1024) {
        quoted ^= byte == b'"';
        for (candidate, count) in &mut counts {
            *count += usize::from(!quoted && byte == *candidate);
        }
    }
    let best = counts.iter().rev().max_by_key(|(_, count)| *count).filter(|(_, count)| *count > 0);
    best.map_or(b',', |(delimiter, _)| *delimiter)
}

/// Writes CSV with a byte order mark, lines ended by `\n`, none after the last.
pub(crate) fn write_csv(sheet: &Sheet, delimiter: &str) -> Vec<u8> {
    let width = sheet.rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::from(BOM);
    for (at, row) in sheet.rows.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        for column in 0..width {
            if column > 0 {
                text.push_str(delimiter);
            }
            let shown = row.get(column).map(Cell::shown).unwrap_or_default();
            if shown.contains(['"', '\n', '\r']) || shown.contains(delimiter) {
                text.push('"');
                text.push_str(&shown.replace("\"", "\"\""));
                text.push('"');
            } else {
                text.push_str(&shown);
            }
        }
    }
    text.into_bytes()
}
