//! Random tokens and how they are stored: a 256-bit random token needs no slow hash, SHA-256 is enough and fast on each request.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::RandomError;
use crate::common::Secret;

/// SHA-256 of a token, as stored and looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    pub fn of(token: &str) -> TokenHash {
        TokenHash(Sha256::digest(token.as_bytes()).into())
    }

    /// None when the bytes are no SHA-256.
    pub fn from_stored(bytes: &[u8]) -> Option<TokenHash> {
        bytes.try_into().ok().map(TokenHash)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// `N` bytes from the operating system's random source.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}

/// A new token of 256 random bits behind a prefix that secret scanners can find.
pub fn random_token(prefix: &str) -> Result<Secret<String>, RandomError> {
    Ok(Secret::new(format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))))
}

/// The token that follows from another one and a key: whoever knows the other token but not the key cannot make it.
pub fn successor_token(prefix: &str, key: &Secret<[u8; 32]>, token: &Secret<String>) -> Secret<String> {
    let bits = mac(key, token.expose().as_bytes());
    Secret::new(format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bits.expose())))
}

/// A key for one purpose out of a key for many (HMAC-SHA256 as a key derivation function, NIST SP 800-108).
pub fn derive_key(key: &Secret<[u8; 32]>, purpose: &str) -> Secret<[u8; 32]> {
    mac(key, format!("millrace key for {purpose}").as_bytes())
}

fn mac(key: &Secret<[u8; 32]>, message: &[u8]) -> Secret<[u8; 32]> {
    // A key shorter than a block is padded with zeros (RFC 2104 §2), as `new` expects it.
    let mut block = Key::<Hmac<Sha256>>::default();
    for (slot, byte) in block.iter_mut().zip(key.expose()) {
        *slot = *byte;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block);
    mac.update(message);
    Secret::new(mac.finalize().into_bytes().into())
}

/// A password people can type: 20 letters and digits without look-alikes, about 100 bits.
pub fn random_password() -> Result<Secret<String>, RandomError> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
    let bytes = random_bytes::<20>()?;
    let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
    Ok(Secret::new(letters.map(|letter| char::from(*letter)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_keep_their_prefix() {
        let (one, two) = (random_token("mr_").unwrap(), random_token("mr_").unwrap());
        assert!(one.expose().starts_with("mr_"));
        assert_eq!(one.expose().len(), 3 + 43);
        assert_ne!(one.expose(), two.expose());
        assert_ne!(TokenHash::of(one.expose()), TokenHash::of(two.expose()));
    }

    #[test]
    fn derived_values_depend_on_key_and_input() {
        let (one, two) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let (a, b) = (Secret::new("a".to_owned()), Secret::new("b".to_owned()));
        let next = successor_token("mr_", &one, &a);
        assert_eq!(next.expose(), successor_token("mr_", &one, &a).expose());
        assert_ne!(next.expose(), successor_token("mr_", &two, &a).expose());
        assert_ne!(next.expose(), successor_token("mr_", &one, &b).expose());
        assert_ne!(derive_key(&one, "x").expose(), derive_key(&one, "y").expose());
    }

    #[test]
    fn passwords_are_typeable() {
        let password = random_password().unwrap();
        assert_eq!(password.expose().len(), 20);
        assert!(password.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
