//! The options that spreadsheet nodes share: how a file is read into items, how items are written to a file.

use millrace_model::{ExecutionError, Item, Object, Str, Value, to_index, truthy};

use super::sheet::{self, CsvRead, Header, ReadOptions, RecordOptions};
use super::{FileFormat, binary, text_encoding};

/// How a file whose format is to be found out is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CsvStyle {
    /// Cells are guessed as spreadsheets do.
    Cells,
    /// All values are text, records are checked.
    Records,
}

/// The records of a file.
pub(super) fn read(
    bytes: &[u8],
    format: FileFormat,
    style: CsvStyle,
    options: &Value,
) -> Result<Vec<Object>, ExecutionError> {
    let text = |key: &str| options.get(key).map(Value::to_js_string).filter(|text| !text.is_empty());
    let flag = |key: &str| options.get(key).is_some_and(truthy);
    let header = if options.get("headerRow") == Some(&Value::Bool(false)) { Header::None } else { Header::FirstRow };
    if format == FileFormat::Csv && style == CsvStyle::Records {
        let content = text_encoding::decode(bytes, Some(&text("encoding").unwrap_or_else(|| "utf8".into())), false)?;
        let count = |key: &str| options.get(key).and_then(Value::as_f64).and_then(to_index);
        let skipped = options.pointer("skipRecordsWithErrors.value.enabled").is_some_and(truthy);
        let csv = CsvRead {
            delimiter: delimiter(options),
            header: header == Header::FirstRow,
            from_line: count("fromLine").unwrap_or(1),
            max_rows: count("maxRowCount"),
            strip_bom: flag("enableBOM"),
            include_empty: flag("includeEmptyCells"),
            relax_quotes: flag("relaxQuotes"),
            skip_errors: skipped,
        };
        return sheet::read_records(&content, &csv).map_err(binary::problem);
    }
    let sheet_name = text("sheetName");
    let sheet =
        sheet::read(bytes, format, &ReadOptions { sheet_name, raw: flag("rawData") }).map_err(binary::problem)?;
    let records = RecordOptions { header, include_empty: flag("includeEmptyCells"), range: text("range") };
    sheet::to_records(sheet, &records).map_err(binary::problem)
}

/// The bytes of a file with these items.
pub(super) fn write(items: &[Item], format: FileFormat, options: &Value) -> Result<Vec<u8>, ExecutionError> {
    let header = if options.get("headerRow") == Some(&Value::Bool(false)) { Header::None } else { Header::FirstRow };
    let name = options.get("sheetName").map(Value::to_js_string).filter(|name| !name.is_empty());
    let sheet = sheet::from_objects(items, header);
    if format == FileFormat::Csv {
        return Ok(sheet::write_csv(&sheet, &delimiter(options)));
    }
    let compress = options.get("compression").is_some_and(truthy);
    sheet::write(&sheet, &name.unwrap_or_else(|| "Sheet".into()), format, compress).map_err(binary::problem)
}

/// The CSV delimiter; `\t` written out means a tab.
fn delimiter(options: &Value) -> Str {
    match options.get("delimiter").map(Value::to_js_string) {
        Some(text) if text == "\\t" => "\t".into(),
        Some(text) if !text.is_empty() => text,
        _ => ",".into(),
    }
}
