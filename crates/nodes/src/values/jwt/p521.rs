//! ES512 (RFC 7518 §3.4): ECDSA on P-521 with SHA-512, which the crate of the other algorithms does not have.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p521::ecdsa::signature::{Signer, Verifier};
use p521::ecdsa::{Signature, SigningKey, VerifyingKey};
use p521::pkcs8::{DecodePrivateKey, DecodePublicKey};
use p521::{PublicKey, SecretKey};

/// The signature as base64url; `None`: the key is no private key of this curve.
pub(super) fn sign(message: &[u8], pem: &str) -> Option<String> {
    let key = SecretKey::from_pkcs8_pem(pem).or_else(|_| SecretKey::from_sec1_pem(pem)).ok()?;
    let key = SigningKey::from_bytes(&key.to_bytes()).ok()?;
    let signature: Signature = key.try_sign(message).ok()?;
    Some(URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// `None`: the key is no public key of this curve.
pub(super) fn verify(signature: &str, message: &[u8], pem: &str) -> Option<bool> {
    let key = PublicKey::from_public_key_pem(pem).ok()?;
    let key = VerifyingKey::from_affine(*key.as_affine()).ok()?;
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    Some(Signature::from_slice(&bytes).is_ok_and(|signature| key.verify(message, &signature).is_ok()))
}
