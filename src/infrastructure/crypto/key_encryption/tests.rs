//! Key files: made once, kept private, rotated in place; a wrong key is refused by name. The key management service is
//! tried through the API's tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::{Error, KeyEncryption, LocalKeys, Wrapped};
use crate::common::Secret;
use crate::infrastructure::crypto::SealingKey;

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/encryption.key");
    (folder, path)
}

#[tokio::test]
async fn what_one_process_wraps_another_unwraps() {
    let (_folder, path) = folder();
    let first = LocalKeys::file(path.clone(), true).unwrap();
    let second = LocalKeys::file(path.clone(), false).unwrap();
    let data_key = SealingKey::generate().unwrap();
    let wrapped = first.wrap(&data_key, b"tenant").await.unwrap();
    assert_eq!(wrapped.key_id, second.current().await.unwrap());
    assert_eq!(second.unwrap(&wrapped, b"tenant").await.unwrap().id(), data_key.id());
    assert!(matches!(second.unwrap(&wrapped, b"other").await, Err(Error::Wrong(_))));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn after_a_rotation_old_and_new_unwrap_everywhere() {
    let (_folder, path) = folder();
    let (rotating, other) = (LocalKeys::file(path.clone(), true).unwrap(), LocalKeys::file(path, false).unwrap());
    let data_key = SealingKey::generate().unwrap();
    let old = rotating.wrap(&data_key, b"").await.unwrap();
    let id = rotating.rotate().await.unwrap();
    let new = rotating.wrap(&data_key, b"").await.unwrap();
    assert_eq!(new.key_id, id);
    assert_ne!(new.key_id, old.key_id);
    for wrapped in [&old, &new] {
        assert_eq!(other.unwrap(wrapped, b"").await.unwrap().id(), data_key.id());
    }
    assert_eq!(other.current().await.unwrap(), id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_at_the_same_time_lose_no_key() {
    let (_folder, path) = folder();
    let one = Arc::new(LocalKeys::file(path.clone(), true).unwrap());
    let other = Arc::new(LocalKeys::file(path.clone(), false).unwrap());
    let first = one.current().await.unwrap();
    let rotations: Vec<_> = (0..24)
        .map(|number| {
            let keys = Arc::clone(if number % 2 == 0 { &one } else { &other });
            tokio::spawn(async move { keys.rotate().await.unwrap() })
        })
        .collect();
    let data_key = SealingKey::generate().unwrap();
    let mut made = vec![first];
    for rotation in rotations {
        made.push(rotation.await.unwrap());
    }
    let kept = LocalKeys::file(path.clone(), false).unwrap();
    made.sort();
    made.dedup();
    assert_eq!((made.len(), fs::read_to_string(&path).unwrap().lines().count()), (25, 25));
    assert!(made.contains(&kept.current().await.unwrap()));
    for keys in [&one, &other] {
        let wrapped = keys.wrap(&data_key, b"").await.unwrap();
        assert_eq!(kept.unwrap(&wrapped, b"").await.unwrap().id(), data_key.id());
    }
    for id in made {
        let missing = kept.unwrap(&Wrapped { key_id: id, bytes: vec![0; 60] }, b"").await.unwrap_err();
        assert!(matches!(missing, Error::Wrong(_)), "the file has the key: {missing}");
    }
}

#[tokio::test]
async fn a_missing_key_is_named() {
    let (_folder, path) = folder();
    let (_other_folder, other_path) = folder();
    let wrapped = LocalKeys::file(path, true).unwrap().wrap(&SealingKey::generate().unwrap(), b"").await.unwrap();
    let error = LocalKeys::file(other_path, true).unwrap().unwrap(&wrapped, b"").await.unwrap_err();
    assert!(matches!(&error, Error::Missing { needed, .. } if *needed == wrapped.key_id), "{error}");
    assert!(error.to_string().contains(&wrapped.key_id));
}

#[test]
fn files_that_must_not_be_used_are_refused() {
    let (_folder, path) = folder();
    assert!(matches!(LocalKeys::file(path.clone(), false), Err(Error::Unusable(_))));
    assert!(!path.exists(), "a missing key is not covered up by a new one");
    drop(LocalKeys::file(path.clone(), true).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(LocalKeys::file(path.clone(), true).is_err_and(|error| error.to_string().contains("chmod 600")));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for text in ["", "short\n", "AAAA AAAA"] {
        fs::write(&path, text).unwrap();
        assert!(LocalKeys::file(path.clone(), true).is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn given_keys_are_a_list_and_are_not_rotated_here() {
    let (one, two) = ("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
    let before = LocalKeys::given(&Secret::new(one.to_owned())).unwrap();
    let after = LocalKeys::given(&Secret::new(format!("{two},{one}"))).unwrap();
    let data_key = SealingKey::generate().unwrap();
    let wrapped = before.wrap(&data_key, b"").await.unwrap();
    assert_eq!(after.unwrap(&wrapped, b"").await.unwrap().id(), data_key.id());
    assert_ne!(after.current().await.unwrap(), before.current().await.unwrap());
    assert!(matches!(after.rotate().await, Err(Error::Fixed)));
    assert!(
        LocalKeys::given(&Secret::new("hunter2".to_owned())).is_err_and(|error| !error.to_string().contains("hunter2"))
    );
}
