//! The ZIP container of workbooks: bounded when it is read, stored or deflated when it is written.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Most files of a container.
const MAX_FILES: usize = 10_000;
/// Most bytes that a container unpacks to.
const MAX_BYTES: u64 = 256 << 20;

/// Refuses a container that unpacks to more than a workbook may have, whatever it says of itself. What is no container
/// is left to the reader.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return Ok(()) };
    if archive.len() > MAX_FILES {
        return Err(format!("the file is made of more than {MAX_FILES} parts"));
    }
    let mut left = MAX_BYTES;
    for at in 0..archive.len() {
        let Ok(part) = archive.by_index(at) else { continue };
        let taken = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).unwrap_or(0);
        left = left
            .checked_sub(taken)
            .ok_or_else(|| format!("the file unpacks to more than {}", millrace_model::human_size(MAX_BYTES)))?;
    }
    Ok(())
}

/// The same container with one of its texts changed; what is no container stays as it is.
pub(super) fn changed(bytes: &[u8], name: &str, change: impl Fn(&str) -> String) -> zip::result::ZipResult<Vec<u8>> {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return Ok(bytes.to_vec()) };
    let mut made = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for at in 0..archive.len() {
        let mut part = archive.by_index(at)?;
        if part.name()? != name {
            made.raw_copy_file(part)?;
            continue;
        }
        let mut content = String::new();
        part.read_to_string(&mut content)?;
        made.start_file(name, options)?;
        made.write_all(change(&content).as_bytes())?;
    }
    Ok(made.finish()?.into_inner())
}

/// The same container with nothing compressed.
pub(super) fn stored(bytes: Vec<u8>) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut plain = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for at in 0..archive.len() {
        let mut part = archive.by_index(at)?;
        let mut content = Vec::new();
        part.read_to_end(&mut content)?;
        let name = part.name()?.into_owned();
        plain.start_file(name, options)?;
        plain.write_all(&content)?;
    }
    Ok(plain.finish()?.into_inner())
}
