//! Files of the command line: only inside the folders allowed, links resolved before the check.

use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use millrace_model::ExecutionError;
use millrace_nodes::FileEntry;
use tokio::io::AsyncWriteExt;

/// Most files that one pattern may find.
const MAX_FOUND: usize = 100_000;

pub(super) async fn read(allowed: &[PathBuf], path: &str) -> Result<Bytes, ExecutionError> {
    let missing = |_| ExecutionError::operation(format!("The file \"{path}\" could not be accessed."));
    let real = Path::new(path).canonicalize().map_err(missing)?;
    check(allowed, &real, path)?;
    tokio::fs::read(real).await.map(Bytes::from).map_err(missing)
}

pub(super) async fn write(allowed: &[PathBuf], path: &str, bytes: &[u8], append: bool) -> Result<(), ExecutionError> {
    let refused = |_| ExecutionError::operation(format!("The file \"{path}\" is not writable."));
    let target = Path::new(path);
    let real = match target.canonicalize() {
        Ok(real) => real,
        Err(_) => {
            let folder =
                target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
            let Some(name) = target.file_name() else { return Err(refused(std::io::ErrorKind::NotFound.into())) };
            folder.canonicalize().map_err(refused)?.join(name)
        }
    };
    check(allowed, &real, path)?;
    let mut options = tokio::fs::OpenOptions::new();
    options.create(true).write(true).append(append).truncate(!append);
    let mut file = options.open(real).await.map_err(refused)?;
    file.write_all(bytes).await.map_err(refused)?;
    file.flush().await.map_err(refused)
}

/// Files that match, sorted by path; those outside the folders allowed are not seen.
pub(super) fn find(allowed: &[PathBuf], pattern: &str) -> Result<Vec<FileEntry>, ExecutionError> {
    let mut found = Vec::new();
    for pattern in expand_braces(pattern, 0) {
        let invalid = |error| ExecutionError::operation(format!("The pattern \"{pattern}\" is not valid: {error}"));
        for path in glob::glob(&pattern).map_err(invalid)?.flatten().take(MAX_FOUND) {
            let inside = path.canonicalize().is_ok_and(|real| check(allowed, &real, "").is_ok());
            if let (true, Ok(metadata)) = (inside, path.metadata())
                && metadata.is_file()
            {
                found.push(FileEntry { path: path.to_string_lossy().into_owned(), bytes: metadata.len() });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found.dedup_by(|one, other| one.path == other.path);
    Ok(found)
}

/// `a{b,c}d` as `abd` and `acd`.
fn expand_braces(pattern: &str, depth: usize) -> Vec<String> {
    let parts = pattern.split_once('{').and_then(|(before, rest)| {
        let (inside, after) = rest.split_once('}')?;
        Some((before, inside, after))
    });
    match parts {
        Some((before, inside, after)) if depth < 8 => {
            let each = inside.split(',').map(|choice| format!("{before}{choice}{after}"));
            each.flat_map(|pattern| expand_braces(&pattern, depth + 1)).collect()
        }
        _ => vec![pattern.to_owned()],
    }
}

fn check(allowed: &[PathBuf], real: &Path, path: &str) -> Result<(), ExecutionError> {
    let plain = real.components().all(|part| !matches!(part, Component::ParentDir));
    if plain && allowed.iter().any(|folder| real.starts_with(folder)) {
        return Ok(());
    }
    let error = ExecutionError::operation(format!("Access to the file is not allowed: \"{path}\""));
    Err(error.describe("Allow its folder with --allow-files"))
}
