//! Keys held by this process: from a file of the data directory, or given by the environment. One base64 key a line,
//! the current one first; the others only unwrap. A key's id follows from its bits, so a wrong key cannot pass for another.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Error, KeyEncryption, Wrapped};
use crate::common::Secret;
use crate::infrastructure::crypto::SealingKey;

/// Within this process, for file systems that lock for a process as a whole.
static ROTATING: Mutex<()> = Mutex::new(());

/// The current key first; never empty.
pub struct LocalKeys {
    keys: RwLock<Arc<[SealingKey]>>,
    /// Where they are read again when an unknown one is asked for, and where new ones go.
    file: Option<PathBuf>,
}

impl LocalKeys {
    /// Keys of a file that only its owner can read.
    pub fn file(path: PathBuf, may_create: bool) -> Result<LocalKeys, Error> {
        let keys = match fs::exists(&path) {
            Ok(false) if may_create => create(&path)?,
            _ => read(&path)?,
        };
        Ok(LocalKeys { keys: RwLock::new(keys), file: Some(path) })
    }

    /// Keys separated by commas or white space.
    pub fn given(text: &Secret<String>) -> Result<LocalKeys, Error> {
        let keys = parse(text.expose()).map_err(|reason| Error::Unusable(format!("encryption.keys {reason}")))?;
        Ok(LocalKeys { keys: RwLock::new(keys), file: None })
    }

    fn keys(&self) -> Arc<[SealingKey]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, keys: Arc<[SealingKey]>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// A key by its id; where it is not known, the file is read again: another process may have rotated.
    fn find(&self, id: &str) -> Result<SealingKey, Error> {
        let among = |keys: &[SealingKey]| keys.iter().find(|key| key.id() == id).cloned();
        if let Some(key) = among(&self.keys()) {
            return Ok(key);
        }
        if let Some(path) = &self.file {
            self.replace(read(path)?);
            if let Some(key) = among(&self.keys()) {
                return Ok(key);
            }
        }
        let remedy = match self.file {
            Some(_) => "restore the file keys/encryption.key of the data directory that has it",
            None => "add it to encryption.keys",
        };
        let at_hand = self.keys().iter().map(SealingKey::id).collect::<Vec<_>>().join(", ");
        Err(Error::Missing { needed: id.to_owned(), at_hand, remedy })
    }

    fn first(&self) -> Result<SealingKey, Error> {
        self.keys().first().cloned().ok_or_else(|| Error::Unusable("there is no encryption key".to_owned()))
    }
}

#[async_trait]
impl KeyEncryption for LocalKeys {
    async fn current(&self) -> Result<String, Error> {
        if let Some(path) = &self.file {
            self.replace(read(path)?);
        }
        Ok(self.first()?.id())
    }

    async fn wrap(&self, key: &SealingKey, associated: &[u8]) -> Result<Wrapped, Error> {
        let current = self.first()?;
        Ok(Wrapped { key_id: current.id(), bytes: current.seal(key.expose(), associated)? })
    }

    async fn unwrap(&self, wrapped: &Wrapped, associated: &[u8]) -> Result<SealingKey, Error> {
        let wrong = || Error::Wrong(wrapped.key_id.clone());
        let bits = self.find(&wrapped.key_id)?.open(&wrapped.bytes, associated).map_err(|_| wrong())?;
        let bits = <[u8; 32]>::try_from(bits.expose().as_slice()).map_err(|_| wrong())?;
        Ok(SealingKey::new(Secret::new(bits)))
    }

    async fn rotate(&self) -> Result<String, Error> {
        let Some(path) = self.file.clone() else { return Err(Error::Fixed) };
        let stopped = |_| Error::Unusable("the rotation was stopped".to_owned());
        // Whoever else is at it may have to be waited for.
        let (id, keys) = tokio::task::spawn_blocking(move || add(&path)).await.map_err(stopped)??;
        self.replace(keys);
        Ok(id)
    }
}

fn parse(text: &str) -> Result<Arc<[SealingKey]>, &'static str> {
    let words = text.split([',', '\n', '\r', ' ', '\t']).filter(|word| !word.is_empty());
    let keys: Option<Arc<[SealingKey]>> = words
        .map(|word| {
            let bits = Secret::new(BASE64_STANDARD.decode(word).ok()?);
            let bits = <[u8; 32]>::try_from(bits.expose().as_slice()).ok()?;
            Some(SealingKey::new(Secret::new(bits)))
        })
        .collect();
    match keys {
        None => Err("holds something other than keys of 32 bytes in base64"),
        Some(keys) if keys.is_empty() => Err("holds no key: give 32 random bytes in base64 (openssl rand -base64 32)"),
        Some(keys) => Ok(keys),
    }
}

fn read(path: &Path) -> Result<Arc<[SealingKey]>, Error> {
    let file = fs::File::open(path).map_err(|error| unusable(path, &error))?;
    let mode = file.metadata().map_err(|error| unusable(path, &error))?.permissions().mode();
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Error::Unusable(format!("the key file {path} can be read by others; run: chmod 600 {path}")));
    }
    let text = Secret::new(io::read_to_string(file).map_err(|error| unusable(path, &error))?);
    parse(text.expose()).map_err(|reason| Error::Unusable(format!("the key file {} {reason}", path.display())))
}

/// Makes the file with one key. Of two processes that start together one makes it, the other reads what it made.
fn create(path: &Path) -> Result<Arc<[SealingKey]>, Error> {
    if let Some(folder) = path.parent() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| unusable(path, &error))?;
    }
    let fresh = written(path, &[SealingKey::generate()?])?;
    // A link fails where the file exists, so a finished file is never replaced.
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh).map_err(|error| unusable(path, &error))?;
    match linked.and_then(|()| keep_folder(path)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unusable(path, &error)),
        _ => read(path),
    }
}

/// Puts a new key before those of the file; its id, and all of them. One at a time, whatever process does it: what another
/// one has just added is read, and stays.
fn add(path: &Path) -> Result<(String, Arc<[SealingKey]>), Error> {
    let _turn = ROTATING.lock().unwrap_or_else(PoisonError::into_inner);
    // The key file itself is replaced, so a lock on it would be one on a file that is gone. Closing the file ends the lock.
    let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(path.with_extension("key.lock"));
    let lock = lock.map_err(|error| unusable(path, &error))?;
    lock.lock().map_err(|error| unusable(path, &error))?;
    let fresh = SealingKey::generate()?;
    let id = fresh.id();
    let keys: Arc<[SealingKey]> = std::iter::once(fresh).chain(read(path)?.iter().cloned()).collect();
    write(path, &keys)?;
    Ok((id, keys))
}

/// Replaces the file in one step, for good: a key that wraps something must outlast the power.
fn write(path: &Path, keys: &[SealingKey]) -> Result<(), Error> {
    let fresh = written(path, keys)?;
    fs::rename(fresh, path).and_then(|()| keep_folder(path)).map_err(|error| unusable(path, &error))
}

/// Brings the names in the file's folder onto the disk.
fn keep_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

/// A new file beside the one of this path, complete and on disk.
fn written(path: &Path, keys: &[SealingKey]) -> Result<PathBuf, Error> {
    let lines: String = keys.iter().map(|key| format!("{}\n", BASE64_STANDARD.encode(key.expose()))).collect();
    let text = Secret::new(lines);
    let fresh = path.with_extension(format!("new-{}", uuid::Uuid::now_v7().simple()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(|error| unusable(path, &error))?;
    let done = file.write_all(text.expose().as_bytes()).and_then(|()| file.sync_all());
    done.map(|()| fresh).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::Unusable(format!("the key file {} cannot be read or written: {error}", path.display()))
}
