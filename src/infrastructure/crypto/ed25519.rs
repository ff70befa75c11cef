//! Ed25519 keys (RFC 8032) that sign tokens and checkpoints, made from stored seeds.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::common::Secret;

/// A signing key with its public half.
pub struct Ed25519 {
    seed: Secret<[u8; 32]>,
    public: VerifyingKey,
}

/// What PKCS #8 puts before the seed of an Ed25519 key (RFC 8410 §7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

impl Ed25519 {
    pub fn from_seed(seed: &Secret<[u8; 32]>) -> Ed25519 {
        Ed25519 { seed: seed.clone(), public: SigningKey::from_bytes(seed.expose()).verifying_key() }
    }

    /// A short public name, to tell keys apart: the first 16 hexadecimal digits of the public key's SHA-256.
    pub fn id(&self) -> String {
        Sha256::digest(self.public.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The private key as PKCS #8 DER.
    pub fn private_der(&self) -> Secret<Vec<u8>> {
        Secret::new([&PKCS8_PREFIX[..], self.seed.expose()].concat())
    }

    /// 64 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        SigningKey::from_bytes(self.seed.expose()).sign(message).to_bytes().to_vec()
    }

    /// Whether this key signed the message. Malformed signatures and weak keys are refused (RFC 8032 §5.1.7).
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.public.verify_strict(message, &signature).is_ok())
    }

    pub fn public_bytes(&self) -> &[u8] {
        self.public.as_bytes()
    }
}
