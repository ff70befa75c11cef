//! The first table of an HTML document, and a document with one table.

use std::fmt::Write;

use scraper::{ElementRef, Selector};

use super::{Cell, Sheet, column_name, infer};
use crate::values::html::document;

/// Reads the first `<table>`. Typed cells (`data-t`, `data-v`) keep their type; spans leave empty cells.
pub(super) fn read(bytes: &[u8], raw: bool) -> Result<Sheet, String> {
    let document = document::parse(&String::from_utf8_lossy(bytes)).map_err(|error| error.message.to_string())?;
    let select = |text: &str| Selector::parse(text).map_err(|problem| problem.to_string());
    let (tables, rows, cells) = (select("table")?, select("tr")?, select("td, th")?);
    let table = document.select(&tables).next().ok_or("the HTML document has no table")?;
    let mut sheet = Sheet::default();
    for row in table.select(&rows) {
        let mut line = Vec::new();
        for cell in row.select(&cells) {
            line.push(read_cell(cell, raw));
            let span = cell.attr("colspan").and_then(|span| span.parse::<usize>().ok()).unwrap_or(1).clamp(1, 1000);
            line.resize(line.len() + span - 1, Cell::Empty);
        }
        sheet.rows.push(line);
    }
    Ok(sheet)
}

fn read_cell(element: ElementRef<'_>, raw: bool) -> Cell {
    let text: String = element.text().collect();
    let text = text.trim();
    let value = element.attr("data-v").unwrap_or(text);
    match element.attr("data-t") {
        _ if value.is_empty() => Cell::Empty,
        _ if raw => Cell::Text(text.into()),
        Some("s") => Cell::Text(value.into()),
        Some("n") => value.parse().map_or_else(|_| Cell::Text(value.into()), Cell::Number),
        Some("b") => Cell::Bool(value == "true" || value == "1"),
        _ => infer::cell(value),
    }
}

/// Writes a table whose cells name their type, value and address.
pub(super) fn write(sheet: &Sheet) -> Vec<u8> {
    let width = sheet.rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut html =
        String::from("<html><head><meta charset=\"utf-8\"/><title>SheetJS Table Export</title></head><body><table>");
    for (row, cells) in sheet.rows.iter().enumerate() {
        html.push_str("<tr>");
        for column in 0..width {
            let address = format!("{}{}", column_name(column), row + 1);
            let cell = cells.get(column).unwrap_or(&Cell::Empty);
            let shown = escape(&cell.shown());
            let typed = match cell {
                Cell::Empty => String::new(),
                Cell::Text(_) => format!("data-t=\"s\" data-v=\"{shown}\" "),
                Cell::Number(_) => format!("data-t=\"n\" data-v=\"{shown}\" "),
                Cell::Bool(value) => format!("data-t=\"b\" data-v=\"{value}\" "),
            };
            // Writing to a String cannot fail.
            let _ = write!(html, "<td {typed}id=\"sjs-{address}\">{shown}</td>");
        }
        html.push_str("</tr>");
    }
    html.push_str("</table></body></html>");
    html.into_bytes()
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&apos;").replace('\n', "<br/>")
}
