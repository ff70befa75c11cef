//! Keyed hashes and how they are written down.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::Scheme;

/// How a keyed hash is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Lower case.
    Hexadecimal,
    Base64,
}

impl Encoding {
    pub(super) fn write(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Hexadecimal => hexadecimal(bytes),
            Encoding::Base64 => BASE64_STANDARD.encode(bytes),
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The key a secret stands for. `None`: it is no secret of this scheme.
pub(super) fn key(scheme: Scheme, secret: &str) -> Option<Vec<u8>> {
    match scheme {
        // Standard Webhooks: base64 behind a prefix.
        Scheme::StandardWebhooks => {
            let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
            BASE64_STANDARD.decode(encoded).ok()
        }
        _ => Some(secret.as_bytes().to_vec()),
    }
}

pub(super) fn sha256<'a>(key: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    keyed::<Hmac<Sha256>>(key, parts)
}

/// Twilio's.
pub(super) fn sha1<'a>(key: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    keyed::<Hmac<Sha1>>(key, parts)
}

fn keyed<'a, M: Mac + KeyInit>(key: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
