//! Payloads as they are stored: one byte that says how, then JSON, compressed where that pays. Pure.

use std::cell::RefCell;
use std::io::Read;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The rest is JSON.
const PLAIN: u8 = 0;
/// The rest is one zstd frame with its content size, holding JSON.
const ZSTD: u8 = 1;
/// Below this many bytes compression costs more than it saves.
const WORTHWHILE: usize = 512;
/// The fastest level that still shrinks JSON several times over.
const LEVEL: i32 = 1;
/// Nothing larger is read back into memory.
const MAX_BYTES: u64 = 1 << 30;

/// Why a payload cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Corrupt {
    #[error("the payload is stored in a form this version does not know ({0})")]
    UnknownForm(u8),
    #[error("the payload is empty")]
    Empty,
    #[error("the payload cannot be decompressed")]
    Compression(#[source] std::io::Error),
    #[error("the payload is not the JSON it should be")]
    Json(#[from] serde_json::Error),
    #[error("the journal was written by another version of this server ({found}; this one reads {known})")]
    Version { found: u32, known: u32 },
    #[error("it was begun in a way that only another version of this server knows")]
    Mode,
    #[error("the journal has a gap: {events} events, then one that came after {found}")]
    Gap { found: i32, events: usize },
}

thread_local! {
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// Serialises and stores a value.
pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut stored = Vec::with_capacity(1024);
    stored.push(PLAIN);
    serde_json::to_writer(&mut stored, value)?;
    Ok(compressed(stored))
}

/// Shrinks a plain payload, where that pays.
fn compressed(plain: Vec<u8>) -> Vec<u8> {
    let json = plain.get(1..).unwrap_or_default();
    if json.len() < WORTHWHILE {
        return plain;
    }
    let shrunk = COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Compressor::new(LEVEL).ok();
        }
        let compressor = slot.as_mut()?;
        let mut stored = vec![0; zstd::zstd_safe::compress_bound(json.len()).saturating_add(1)];
        let (form, frame) = stored.split_first_mut()?;
        *form = ZSTD;
        let written = compressor.compress_to_buffer(json, frame).ok()?;
        stored.truncate(written.saturating_add(1));
        stored.shrink_to_fit();
        Some(stored)
    });
    shrunk.filter(|stored| stored.len() < plain.len()).unwrap_or(plain)
}

/// The JSON text of a stored payload.
pub(super) fn decode(stored: &[u8]) -> Result<String, Corrupt> {
    match stored.split_first() {
        None => Err(Corrupt::Empty),
        Some((&PLAIN, json)) => text(json.to_vec()),
        Some((&ZSTD, frame)) => {
            let decoder = zstd::stream::read::Decoder::new(frame).map_err(Corrupt::Compression)?;
            let mut json = Vec::new();
            decoder.take(MAX_BYTES).read_to_end(&mut json).map_err(Corrupt::Compression)?;
            text(json)
        }
        Some((form, _)) => Err(Corrupt::UnknownForm(*form)),
    }
}

/// A stored payload as a value.
pub(super) fn decode_as<T: DeserializeOwned>(stored: &[u8]) -> Result<T, Corrupt> {
    Ok(serde_json::from_str(&decode(stored)?)?)
}

fn text(json: Vec<u8>) -> Result<String, Corrupt> {
    String::from_utf8(json).map_err(|error| Corrupt::Compression(std::io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn payloads_read_what_they_write() {
        for (value, form) in
            [(json!({}), PLAIN), (json!({"a": "é\u{0}"}), PLAIN), (json!(vec!["the same text again"; 500]), ZSTD)]
        {
            let stored = encode(&value).unwrap();
            assert_eq!(stored[0], form);
            assert_eq!(decode_as::<Value>(&stored).unwrap(), value);
        }
        let large = encode(&json!(vec!["the same text again"; 500])).unwrap();
        assert!(large.len() < 500, "{} bytes", large.len());
    }

    #[test]
    fn corrupt_payloads_are_refused() {
        let mut cut = encode(&json!(vec!["the same text again"; 500])).unwrap();
        cut.truncate(30);
        assert!(matches!(decode(&cut), Err(Corrupt::Compression(_))));
        assert!(matches!(decode(&[]), Err(Corrupt::Empty)));
        assert!(matches!(decode(&[9, 1, 2]), Err(Corrupt::UnknownForm(9))));
        assert!(matches!(decode_as::<Value>(&[PLAIN, b'{']), Err(Corrupt::Json(_))));
        assert!(decode(&[PLAIN, 0xff]).is_err());
    }
}
