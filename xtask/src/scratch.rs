//! Temporary directories that are gone at the end, however the end comes about.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};

static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A directory below the system's temporary one, removed when this is dropped or the program is interrupted.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes `<tmp>/<prefix>-<pid>-<nanoseconds>`, which other users may pass through but not list.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("{prefix}-{}-{}", std::process::id(), now.subsec_nanos());
        let path = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o711).create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711))?;
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Leaves the directory where it is, for services that outlive this program.
    pub(crate) fn keep(self) -> PathBuf {
        forget(&self.0);
        self.0.clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if forget(&self.0) {
            remove(&self.0);
        }
    }
}

/// Removes every directory that is still there: for a program about to be ended by a signal.
pub(crate) fn remove_all() {
    let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
    live.iter().for_each(|path| remove(path));
}

/// Removes a directory tree; what cannot be removed stays, since nobody can do anything about it.
pub(crate) fn remove(path: &Path) {
    // A server that has just been stopped may still write a last file.
    for _ in 0..3 {
        if fs::remove_dir_all(path).is_ok() || !path.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn forget(path: &Path) -> bool {
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = live.len();
    live.retain(|other| other != path);
    live.len() < before
}
