//! Hash functions by the names that n8n uses, plain and keyed.

use hmac::{KeyInit, Mac, SimpleHmac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512At224,
    Sha512At256,
    Sha3At224,
    Sha3At256,
    Sha3At384,
    Sha3At512,
}

/// Runs a generic function with the hash type that a [`Hash`] stands for.
macro_rules! with_type {
    ($hash:expr, $call:ident ( $($argument:expr),* )) => {
        match $hash {
            Hash::Md5 => $call::<Md5>($($argument),*),
            Hash::Sha1 => $call::<Sha1>($($argument),*),
            Hash::Sha224 => $call::<Sha224>($($argument),*),
            Hash::Sha256 => $call::<Sha256>($($argument),*),
            Hash::Sha384 => $call::<Sha384>($($argument),*),
            Hash::Sha512 => $call::<Sha512>($($argument),*),
            Hash::Sha512At224 => $call::<Sha512_224>($($argument),*),
            Hash::Sha512At256 => $call::<Sha512_256>($($argument),*),
            Hash::Sha3At224 => $call::<Sha3_224>($($argument),*),
            Hash::Sha3At256 => $call::<Sha3_256>($($argument),*),
            Hash::Sha3At384 => $call::<Sha3_384>($($argument),*),
            Hash::Sha3At512 => $call::<Sha3_512>($($argument),*),
        }
    };
}

impl Hash {
    /// By name: `SHA256`, `sha-256`, `RSA-SHA256`, `sha256WithRSAEncryption`, `SHA3-512`, …
    pub(super) fn named(name: &str) -> Option<Hash> {
        let plain = name.to_ascii_lowercase();
        let plain = plain.rsplit("with-").next().unwrap_or_default();
        let plain = ["rsa-", "ssl3-", "ecdsa-"].iter().find_map(|prefix| plain.strip_prefix(prefix)).unwrap_or(plain);
        let plain = plain.strip_suffix("withrsaencryption").unwrap_or(plain).replace(['_', '/'], "-");
        Some(match plain.as_str() {
            "md5" => Hash::Md5,
            "sha1" | "sha-1" => Hash::Sha1,
            "sha224" | "sha-224" => Hash::Sha224,
            "sha256" | "sha-256" => Hash::Sha256,
            "sha384" | "sha-384" => Hash::Sha384,
            "sha512" | "sha-512" => Hash::Sha512,
            "sha512-224" => Hash::Sha512At224,
            "sha512-256" => Hash::Sha512At256,
            "sha3-224" => Hash::Sha3At224,
            "sha3-256" => Hash::Sha3At256,
            "sha3-384" => Hash::Sha3At384,
            "sha3-512" => Hash::Sha3At512,
            _ => return None,
        })
    }

    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        with_type!(self, plain(bytes))
    }

    /// The keyed hash (RFC 2104).
    pub(super) fn keyed(self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        with_type!(self, keyed(key, bytes))
    }

    /// What stands before the hash in a PKCS #1 v1.5 signature (RFC 8017 §9.2).
    pub(super) fn signature_prefix(self) -> Vec<u8> {
        let nist = |last: u8, length: u8| {
            let mut prefix = vec![0x30, 0x11 + length, 0x30, 0x0d, 0x06, 0x09];
            prefix.extend([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0x00, 0x04, length]);
            prefix
        };
        match self {
            Hash::Md5 => {
                let mut prefix = vec![0x30, 0x20, 0x30, 0x0c, 0x06, 0x08];
                prefix.extend([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10]);
                prefix
            }
            Hash::Sha1 => {
                vec![0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14]
            }
            Hash::Sha256 => nist(1, 32),
            Hash::Sha384 => nist(2, 48),
            Hash::Sha512 => nist(3, 64),
            Hash::Sha224 => nist(4, 28),
            Hash::Sha512At224 => nist(5, 28),
            Hash::Sha512At256 => nist(6, 32),
            Hash::Sha3At224 => nist(7, 28),
            Hash::Sha3At256 => nist(8, 32),
            Hash::Sha3At384 => nist(9, 48),
            Hash::Sha3At512 => nist(10, 64),
        }
    }
}

fn plain<D: Digest>(bytes: &[u8]) -> Vec<u8> {
    D::digest(bytes).to_vec()
}

fn keyed<D: Digest + hmac::digest::block_api::BlockSizeUser>(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    // A keyed hash takes a key of any length.
    let Ok(mut mac) = <SimpleHmac<D> as KeyInit>::new_from_slice(key) else { return Vec::new() };
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of the standards: RFC 1321, FIPS 180-4, FIPS 202, RFC 4231.
    #[test]
    fn hashes_as_the_standards_say() {
        let table = [
            ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
            ("RSA-SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("SHA3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
            ("sha512-256", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ];
        for (name, expected) in table {
            assert_eq!(hex(&Hash::named(name).unwrap().of(b"abc")), expected, "{name}");
        }
        let keyed = Hash::Sha256.keyed(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&keyed), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(Hash::named("CRC32"), None);
    }
}
