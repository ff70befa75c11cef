//! The spreadsheet-like file formats by name.

/// A format that holds a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Csv,
    Html,
    Rtf,
    Xlsx,
    Xls,
    Ods,
}

impl FileFormat {
    /// The format of a parameter value or file extension.
    pub(crate) fn named(name: &str) -> Option<FileFormat> {
        Some(match name.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => FileFormat::Csv,
            "html" | "htm" => FileFormat::Html,
            "rtf" => FileFormat::Rtf,
            "xlsx" | "xlsm" => FileFormat::Xlsx,
            "xls" => FileFormat::Xls,
            "ods" => FileFormat::Ods,
            _ => return None,
        })
    }

    /// The format of a file by its first bytes; `None` where they do not tell (CSV has no mark).
    pub(crate) fn sniff(bytes: &[u8]) -> Option<FileFormat> {
        let start = bytes.get(..bytes.len().min(512)).unwrap_or_default();
        let text = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
        if start.starts_with(b"PK\x03\x04") {
            let ods = String::from_utf8_lossy(start).contains("opendocument.spreadsheet");
            Some(if ods { FileFormat::Ods } else { FileFormat::Xlsx })
        } else if start.starts_with(b"\xd0\xcf\x11\xe0") {
            Some(FileFormat::Xls)
        } else if start.starts_with(b"{\\rtf") {
            Some(FileFormat::Rtf)
        } else if text.starts_with("<html") || text.starts_with("<!doctype html") || text.starts_with("<table") {
            Some(FileFormat::Html)
        } else {
            None
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            FileFormat::Csv => "csv",
            FileFormat::Html => "html",
            FileFormat::Rtf => "rtf",
            FileFormat::Xlsx => "xlsx",
            FileFormat::Xls => "xls",
            FileFormat::Ods => "ods",
        }
    }

    /// Media type (IANA).
    pub(crate) fn mime_type(self) -> &'static str {
        match self {
            FileFormat::Csv => "text/csv",
            FileFormat::Html => "text/html",
            FileFormat::Rtf => "application/rtf",
            FileFormat::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            FileFormat::Xls => "application/vnd.ms-excel",
            FileFormat::Ods => "application/vnd.oasis.opendocument.spreadsheet",
        }
    }
}
