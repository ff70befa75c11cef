//! Key files: made on first use in the data directory with mode 0600, refused when others can read them.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{RandomError, random_bytes};
use crate::common::Secret;

/// The server's own keys. Replicas of one installation must share them.
#[derive(Debug)]
pub struct Keys {
    /// What the keys of signing in are derived from.
    pub auth: Secret<[u8; 32]>,
    /// Key of the audit log's HMAC chain.
    pub audit_chain: Secret<[u8; 32]>,
    /// Seed of the Ed25519 key that signs checkpoints of the audit log.
    pub audit_signing: Secret<[u8; 32]>,
    /// Key that encrypts the secrets of webhooks.
    pub webhook_secrets: Secret<[u8; 32]>,
}

/// A key file cannot be made or must not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot read or write the key file {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("the key file {path} can be read by others; run: chmod 600 {path}")]
    TooOpen { path: PathBuf },
    #[error("the key file {path} does not hold 32 bytes in base64")]
    Malformed { path: PathBuf },
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Keys {
    /// Reads the keys under `directory/keys`, making those that are missing.
    pub fn open(directory: &Path) -> Result<Keys, KeyError> {
        let directory = directory.join("keys");
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&directory).map_err(|source| KeyError::Io { path: directory.clone(), source })?;
        Ok(Keys {
            auth: load_or_create(&directory.join("auth.key"))?,
            audit_chain: load_or_create(&directory.join("audit-chain.key"))?,
            audit_signing: load_or_create(&directory.join("audit-signing.key"))?,
            webhook_secrets: load_or_create(&directory.join("webhook-secrets.key"))?,
        })
    }
}

fn load_or_create(path: &Path) -> Result<Secret<[u8; 32]>, KeyError> {
    let io_error = |source| KeyError::Io { path: path.to_owned(), source };
    // `create_new` makes one of two processes that start together the maker; the other reads what it made.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let key = Secret::new(random_bytes::<32>()?);
            file.write_all(BASE64_STANDARD.encode(key.expose()).as_bytes()).map_err(io_error)?;
            file.sync_all().map_err(io_error)?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(error) => Err(io_error(error)),
    }
}

fn load(path: &Path) -> Result<Secret<[u8; 32]>, KeyError> {
    let io_error = |source| KeyError::Io { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(io_error)?;
    if file.metadata().map_err(io_error)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::TooOpen { path: path.to_owned() });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io_error)?;
    let text = Secret::new(text);
    let bytes = BASE64_STANDARD.decode(text.expose().trim()).ok();
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    key.map(Secret::new).ok_or_else(|| KeyError::Malformed { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_only_for_the_owner() {
        let directory = tempfile::tempdir().unwrap();
        let made = Keys::open(directory.path()).unwrap();
        let read = Keys::open(directory.path()).unwrap();
        assert_eq!(made.auth.expose(), read.auth.expose());
        assert_ne!(made.auth.expose(), made.audit_chain.expose());
        let path = directory.path().join("keys/auth.key");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn open_or_broken_key_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        Keys::open(directory.path()).unwrap();
        let path = directory.path().join("keys/audit-chain.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Keys::open(directory.path()), Err(KeyError::TooOpen { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(matches!(Keys::open(directory.path()), Err(KeyError::Malformed { .. })));
    }
}
