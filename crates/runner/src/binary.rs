//! Describes bytes the way workflows expect: media type, kind, extension, size for people.

use std::path::Path;

use millrace_model::{BinaryData, Str, human_size};

/// Extensions where several are registered and workflows expect this one.
const EXTENSIONS: [(&str, &str); 14] = [
    ("text/plain", "txt"),
    ("text/html", "html"),
    ("text/csv", "csv"),
    ("text/xml", "xml"),
    ("text/markdown", "md"),
    ("text/calendar", "ics"),
    ("text/javascript", "js"),
    ("image/jpeg", "jpeg"),
    ("image/svg+xml", "svg"),
    ("audio/mpeg", "mpga"),
    ("video/mp4", "mp4"),
    ("application/octet-stream", "bin"),
    ("application/vnd.ms-excel", "xls"),
    ("application/gzip", "gz"),
];

/// The description of bytes, without the bytes: the type as given, else by the extension of the file name, else by
/// content, else plain text. A path in `file_name` gives the directory too.
pub fn describe_binary(bytes: &[u8], file_name: Option<&str>, mime_type: Option<&str>) -> BinaryData {
    let path = file_name.filter(|name| !name.is_empty()).map(Path::new);
    let text = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).map(Str::from);
    let own_extension = text(path.and_then(Path::extension));
    let mime_type = mime_type.filter(|given| !given.is_empty());
    let (mime_type, extension) = match mime_type {
        Some(given) => (Str::from(given), extension_of(given)),
        None => match own_extension.as_deref().and_then(type_of_extension) {
            Some(known) => (known, None),
            None => match infer::get(bytes) {
                Some(found) => (found.mime_type().into(), Some(found.extension().into())),
                None => ("text/plain".into(), None),
            },
        },
    };
    let directory = text(path.and_then(Path::parent).map(Path::as_os_str)).filter(|directory| !directory.is_empty());
    BinaryData {
        file_type: kind_of(&mime_type),
        mime_type,
        file_extension: own_extension.or(extension),
        file_name: text(path.and_then(Path::file_name)),
        directory,
        file_size: Some(human_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX))),
        bytes: u64::try_from(bytes.len()).ok(),
        ..BinaryData::default()
    }
}

fn type_of_extension(extension: &str) -> Option<Str> {
    let lower = extension.to_ascii_lowercase();
    match lower.as_str() {
        "js" | "mjs" => Some("text/javascript".into()),
        _ => mime_guess::from_ext(&lower).first_raw().map(Str::from),
    }
}

/// The usual extension of a media type, without parameters such as `charset`.
fn extension_of(mime_type: &str) -> Option<Str> {
    let essence = mime_type.split(';').next().unwrap_or_default().trim();
    if let Some((_, extension)) = EXTENSIONS.iter().find(|(known, _)| *known == essence) {
        return Some((*extension).into());
    }
    mime_guess::get_mime_extensions_str(essence)?.first().map(|extension| (*extension).into())
}

/// What the editor shows the bytes as; absent where it has no view for them.
fn kind_of(mime_type: &str) -> Option<Str> {
    let kinds = [
        ("application/json", "json"),
        ("text/html", "html"),
        ("image/", "image"),
        ("audio/", "audio"),
        ("video/", "video"),
        ("text/", "text"),
        ("application/javascript", "text"),
        ("application/pdf", "pdf"),
    ];
    kinds.iter().find(|(prefix, _)| mime_type.starts_with(prefix)).map(|(_, kind)| (*kind).into())
}
