//! AES-256-GCM (NIST SP 800-38D): bytes sealed under a key with a random 96-bit nonce, bound to associated data. What is
//! sealed is `nonce ‖ ciphertext ‖ tag`.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use sha2::{Digest, Sha256};

use super::{RandomError, random_bytes};
use crate::common::Secret;

const NONCE: usize = 12;

/// A key of 256 bits. Debug shows its id, never its bits.
#[derive(Clone)]
pub struct SealingKey(Secret<[u8; 32]>);

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Another key, other associated data, or bytes that were altered. Which of them cannot be told.
    #[error("the sealed bytes do not authenticate")]
    NotAuthentic,
    #[error("too much to seal at once")]
    TooLarge,
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl SealingKey {
    pub fn generate() -> Result<SealingKey, RandomError> {
        Ok(SealingKey(Secret::new(random_bytes()?)))
    }

    pub fn new(bits: Secret<[u8; 32]>) -> SealingKey {
        SealingKey(bits)
    }

    /// The bits themselves, for wrapping this key with another.
    pub(super) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// A public name that follows from the bits: the first 16 hexadecimal digits of a SHA-256 over them.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"millrace key id\0");
        hash.update(self.expose());
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Seals bytes; they open only with the same associated data.
    pub fn seal(&self, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = random_bytes::<NONCE>()?;
        let payload = Payload { msg: plain, aad: associated };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload).map_err(|_| SealError::TooLarge)?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::NotAuthentic)?;
        let payload = Payload { msg: sealed, aad: associated };
        let plain = self.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| SealError::NotAuthentic)?;
        Ok(Secret::new(plain))
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.expose().into())
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SealingKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_sealed_for_the_same_purpose() {
        let (key, other) = (SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
        let sealed = key.seal(b"hunter2", b"row 1").unwrap();
        assert_eq!(key.open(&sealed, b"row 1").unwrap().expose(), b"hunter2");
        assert!(key.open(&sealed, b"row 2").is_err());
        assert!(other.open(&sealed, b"row 1").is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(key.open(&altered, b"row 1").is_err(), "byte {at}");
        }
        for length in [0, 1, NONCE, sealed.len() - 1] {
            assert!(key.open(&sealed[..length], b"row 1").is_err(), "{length} bytes");
        }
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let key = SealingKey::generate().unwrap();
        assert_ne!(key.seal(b"x", b"").unwrap(), key.seal(b"x", b"").unwrap());
    }

    /// NIST's GCM test case 14 (256-bit key, 96-bit nonce, all zero).
    #[test]
    fn agrees_with_the_standard() {
        let key = SealingKey::new(Secret::new([0; 32]));
        let expected = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
        let digit = |letter: u8| u8::try_from(char::from(letter).to_digit(16).unwrap()).unwrap();
        let pairs = expected.as_bytes().chunks_exact(2);
        let bytes: Vec<u8> = pairs.map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        let sealed = [&[0; NONCE][..], &bytes].concat();
        assert_eq!(key.open(&sealed, b"").unwrap().expose(), &[0; 16]);
    }

    #[test]
    fn ids_name_keys_and_debug_hides_them() {
        let key = SealingKey::new(Secret::new([7; 32]));
        assert_eq!(key.id().len(), 16);
        assert_ne!(key.id(), SealingKey::new(Secret::new([8; 32])).id());
        assert_eq!(format!("{key:?}"), format!("SealingKey({})", key.id()));
    }
}
