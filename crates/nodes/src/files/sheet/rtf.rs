//! Tables in RTF: rows of `\cell`s ended by `\row`. Everything else of the format is skipped.

use std::fmt::Write;

use millrace_model::Str;

use super::{Cell, Sheet, infer};

/// Reads all table rows.
pub(super) fn read(bytes: &[u8]) -> Result<Sheet, String> {
    if !bytes.starts_with(b"{\\rtf") {
        return Err("the file is not an RTF document".to_owned());
    }
    let mut reader = Reader::default();
    let text = String::from_utf8_lossy(bytes);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let word = control_word(&mut letters);
                reader.control(&word);
            }
            '{' | '}' | '\r' | '\n' => {}
            other => reader.cell.push(other),
        }
    }
    Ok(Sheet { rows: reader.rows, first_column: 0 })
}

#[derive(Default)]
struct Reader {
    rows: Vec<Vec<Cell>>,
    row: Vec<Cell>,
    cell: String,
}

impl Reader {
    fn control(&mut self, word: &str) {
        match word {
            "cell" => {
                let text = std::mem::take(&mut self.cell);
                self.row.push(infer::cell(text.trim()));
            }
            "row" => {
                self.rows.push(std::mem::take(&mut self.row));
                self.cell.clear();
            }
            "intbl" | "trowd" => self.cell.clear(),
            "\\" | "{" | "}" => self.cell.push_str(word),
            "line" | "par" => self.cell.push('\n'),
            "tab" => self.cell.push('\t'),
            _ => self.escaped(word),
        }
    }

    /// `\'e9` (a Latin-1 byte) and `\u233` (a UTF-16 unit).
    fn escaped(&mut self, word: &str) {
        let letter = if let Some(hex) = word.strip_prefix('\'') {
            u8::from_str_radix(hex, 16).ok().map(char::from)
        } else {
            let unit = word.strip_prefix('u').and_then(|digits| digits.parse::<i32>().ok());
            unit.and_then(|unit| char::from_u32(u32::try_from(if unit < 0 { unit + 65_536 } else { unit }).ok()?))
        };
        self.cell.extend(letter);
    }
}

/// The control word or symbol behind a backslash, without the space that ends it.
fn control_word(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut word = String::new();
    match letters.peek() {
        Some('\'') => word.extend(letters.by_ref().take(3)),
        Some(letter) if letter.is_ascii_alphabetic() => {
            while let Some(letter) = letters.next_if(char::is_ascii_alphabetic) {
                word.push(letter);
            }
            while let Some(letter) = letters.next_if(|letter| letter.is_ascii_digit() || *letter == '-') {
                word.push(letter);
            }
            if word.strip_prefix('u').is_some_and(|rest| rest.parse::<i32>().is_ok()) {
                letters.next_if_eq(&'?');
            }
            letters.next_if_eq(&' ');
        }
        _ => word.extend(letters.next()),
    }
    word
}

/// Writes a document that is one table.
pub(super) fn write(sheet: &Sheet) -> Vec<u8> {
    let width = sheet.rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::from("{\\rtf1\\ansi");
    for row in &sheet.rows {
        text.push_str("\\trowd\\trautofit1");
        for column in 1..=width {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\cellx{column}");
        }
        text.push_str("\\pard\\intbl");
        for column in 0..width {
            let shown = row.get(column).map(Cell::shown).unwrap_or_default();
            let _ = write!(text, " {}\\cell", escape(&shown));
        }
        text.push_str("\\pard\\intbl\\row");
    }
    text.push('}');
    text.into_bytes()
}

fn escape(text: &Str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '{' | '}' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\line "),
            letter if letter.is_ascii() => escaped.push(letter),
            letter => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(escaped, "\\u{}?", i16::from_ne_bytes(unit.to_ne_bytes()));
                }
            }
        }
    }
    escaped
}
