//! Temporary directories that are gone at the end, however the end comes about.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};

use crate::interrupt;

/// A directory below the system's temporary one, removed when this is dropped or the program is interrupted.
pub(crate) struct Scratch {
    path: PathBuf,
    removed_on_interrupt: Option<interrupt::Registered>,
}

impl Scratch {
    /// Makes `<tmp>/<prefix>-<pid>-<nanoseconds>`, which other users may pass through but not list.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("{prefix}-{}-{}", std::process::id(), now.subsec_nanos());
        let path = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o711).create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        // The mask of the user may have taken the others' right away.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711))?;
        let doomed = path.clone();
        Ok(Self { path, removed_on_interrupt: Some(interrupt::register(move || remove(&doomed))) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the directory where it is, for services that outlive this program.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.removed_on_interrupt = None;
        self.path.clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.removed_on_interrupt.take().is_some() {
            remove(&self.path);
        }
    }
}

/// Removes a directory tree; what cannot be removed stays, since nobody can do anything about it.
pub(crate) fn remove(path: &Path) {
    // A server that has just been stopped may still write a last file.
    for _ in 0..3 {
        if fs::remove_dir_all(path).is_ok() || !path.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}
