//! Unpacking, with limits on the number of files and on what comes out of them.

use std::io::{Cursor, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use indexmap::IndexMap;
use millrace_model::{Binaries, BinaryData, ExecutionError, Str};
use zip::ZipArchive;

use super::chosen;
use crate::NodeContext;

/// Most files that are taken out of the archives of an item.
const MAX_FILES: usize = 10_000;
/// Most bytes that come out of the archives of an item.
const MAX_BYTES: u64 = 512 << 20;
/// Most bytes that come out of one file: while it is unpacked, twice as many may be held.
const MAX_FILE_BYTES: u64 = 128 << 20;

/// The files of all archives of an item.
pub(super) fn all(context: &mut NodeContext<'_>, index: usize) -> Result<Binaries, ExecutionError> {
    let prefix = context.text("outputPrefix", index)?;
    let mut made: IndexMap<Str, BinaryData> = IndexMap::new();
    let mut left = MAX_BYTES;
    for (at, (file, bytes)) in chosen(context, index)?.into_iter().enumerate() {
        match kind(file, &bytes) {
            Kind::Zip => unzip(context, &bytes, &prefix, &mut left, &mut made)?,
            Kind::Gzip => {
                let content = limited(MultiGzDecoder::new(bytes.as_ref()), "gzip", &mut left)?;
                let name = inner_name(file);
                let stored = context.host.store_binary(content.into(), Some(&name), None)?;
                made.insert(format!("{prefix}{at}").into(), stored);
            }
            Kind::Other => {}
        }
    }
    Ok(Arc::new(made))
}

enum Kind {
    Zip,
    Gzip,
    Other,
}

/// By extension, else by the first bytes.
fn kind(file: &BinaryData, bytes: &[u8]) -> Kind {
    let extension = file.file_extension.as_deref().unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "zip" => Kind::Zip,
        "gz" | "gzip" => Kind::Gzip,
        _ if bytes.starts_with(b"PK\x03\x04") => Kind::Zip,
        _ if bytes.starts_with(&[0x1f, 0x8b]) => Kind::Gzip,
        _ => Kind::Other,
    }
}

fn unzip(
    context: &NodeContext<'_>,
    bytes: &[u8],
    prefix: &str,
    left: &mut u64,
    made: &mut IndexMap<Str, BinaryData>,
) -> Result<(), ExecutionError> {
    let broken =
        |error: &dyn std::fmt::Display| ExecutionError::operation("invalid zip data").describe(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|error| broken(&error))?;
        // Archives made on macOS hold a shadow of each file.
        let path = entry.name().map_err(|error| broken(&error))?.into_owned();
        if entry.is_dir() || path.contains("__MACOSX") {
            continue;
        }
        if made.len() >= MAX_FILES {
            return Err(ExecutionError::operation(format!("The archive holds more than {MAX_FILES} files")));
        }
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let content = limited(entry, "zip", left)?;
        let stored = context.host.store_binary(content.into(), Some(name), None)?;
        made.insert(format!("{prefix}{}", made.len()).into(), stored);
    }
    Ok(())
}

/// All that a reader of a format gives, up to what one file may hold and what is left for all of them.
fn limited(reader: impl Read, format: &str, left: &mut u64) -> Result<Vec<u8>, ExecutionError> {
    let mut content = Vec::new();
    let read = reader.take(MAX_FILE_BYTES.min(*left) + 1).read_to_end(&mut content);
    read.map_err(|error| ExecutionError::operation(format!("invalid {format} data")).describe(error.to_string()))?;
    let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let most = |bytes| millrace_model::human_size(bytes);
    if length > MAX_FILE_BYTES {
        let message = format!("A file unpacks to more than {}", most(MAX_FILE_BYTES));
        return Err(ExecutionError::operation(message));
    }
    let Some(rest) = left.checked_sub(length) else {
        let message = format!("The files unpack to more than {}", most(MAX_BYTES));
        return Err(ExecutionError::operation(message));
    };
    *left = rest;
    Ok(content)
}

/// The name of what is in a gzip file: without `.gz`.
fn inner_name(file: &BinaryData) -> String {
    let name = file.file_name.as_deref().unwrap_or("file");
    let lower = name.to_ascii_lowercase();
    let cut = [".gzip", ".gz"].iter().find(|suffix| lower.ends_with(**suffix)).map_or(0, |suffix| suffix.len());
    name.get(..name.len() - cut).unwrap_or(name).to_owned()
}
