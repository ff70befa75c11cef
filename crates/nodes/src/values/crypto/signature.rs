//! Signatures with a private key in PEM: RSA (PKCS #1 v1.5) and ECDSA on P-256 and P-384 (DER).

use millrace_model::ExecutionError;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::pkcs8::DecodePrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};

use super::super::digest::Hash;
use super::super::pem;

/// The signature of a text.
pub(super) fn sign(key: &str, hash: Hash, text: &[u8]) -> Result<Vec<u8>, ExecutionError> {
    let key = pem::normalized(key);
    let digest = hash.of(text);
    let rsa = RsaPrivateKey::from_pkcs8_pem(&key).ok().or_else(|| RsaPrivateKey::from_pkcs1_pem(&key).ok());
    if let Some(rsa) = rsa {
        let scheme = Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: hash.signature_prefix().into_boxed_slice() };
        return rsa.sign(scheme, &digest).map_err(|error| failed(&error));
    }
    if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_pem(&key) {
        let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).map_err(|error| failed(&error))?;
        return Ok(signature.to_der().as_bytes().to_vec());
    }
    if let Ok(key) = p384::ecdsa::SigningKey::from_pkcs8_pem(&key) {
        let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).map_err(|error| failed(&error))?;
        return Ok(signature.to_der().as_bytes().to_vec());
    }
    Err(ExecutionError::operation("The private key could not be read")
        .describe("Give an RSA or EC (P-256, P-384) private key in PEM form, without a passphrase"))
}

fn failed(error: &dyn std::fmt::Display) -> ExecutionError {
    ExecutionError::operation(format!("Signing failed: {error}"))
}
