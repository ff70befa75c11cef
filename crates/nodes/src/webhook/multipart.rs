//! Bodies of `multipart/form-data` (RFC 7578), read whole.

use bytes::Bytes;
use millrace_model::Str;

/// Parts that are read; a body with more is refused.
const MAX_PARTS: usize = 1000;

/// One part of a form.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) name: Str,
    /// A file when present.
    pub(super) file_name: Option<Str>,
    pub(super) content_type: Option<Str>,
    pub(super) bytes: Bytes,
}

/// The parts of a body; the error says what is wrong with it.
pub(super) fn parts(content_type: &str, body: &Bytes) -> Result<Vec<Part>, &'static str> {
    let boundary = parameter(content_type, "boundary").ok_or("the content type names no boundary")?;
    let delimiter = format!("--{boundary}");
    let mut found = Vec::new();
    let mut at = position(body, delimiter.as_bytes(), 0).ok_or("the boundary does not occur in the body")?;
    loop {
        let start = at + delimiter.len();
        match body.get(start..start + 2) {
            Some(b"--") => return Ok(found),
            Some(b"\r\n") => {}
            _ => return Err("a boundary is not followed by a line end"),
        }
        let next = format!("\r\n{delimiter}");
        let end = position(body, next.as_bytes(), start).ok_or("the last boundary is missing")?;
        let head_end = position(body, b"\r\n\r\n", start).filter(|at| *at <= end).ok_or("a part has no headers")?;
        let head = String::from_utf8_lossy(body.get(start..head_end).unwrap_or_default());
        let content_from = (head_end + 4).min(end);
        found.extend(part(&head, body.slice(content_from..end)));
        if found.len() > MAX_PARTS {
            return Err("the form has too many parts");
        }
        at = end + 2;
    }
}

fn part(head: &str, bytes: Bytes) -> Option<Part> {
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition")?;
    Some(Part {
        name: parameter(disposition, "name")?,
        file_name: parameter(disposition, "filename"),
        content_type: header("content-type").map(Str::from),
        bytes,
    })
}

/// A parameter of a header such as `form-data; name="a"; filename="b.txt"`.
pub(super) fn parameter(header: &str, name: &str) -> Option<Str> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once(';')?;
        let (key, value) = after.split_once('=')?;
        if let Some(quoted) = value.trim_start().strip_prefix('"') {
            let mut text = Str::new();
            let mut letters = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    letter => text.push(letter),
                }
            }
            if key.trim().eq_ignore_ascii_case(name) {
                return Some(text);
            }
            rest = quoted.get(end..)?;
        } else {
            let plain = value.split(';').next().unwrap_or(value);
            if key.trim().eq_ignore_ascii_case(name) {
                return Some(plain.trim().into());
            }
            rest = value.get(plain.len()..)?;
        }
    }
}

fn position(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = body.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}
