//! Keys, sealing, random tokens and password hashes. Chooses the algorithms; callers choose only what to protect.

mod ed25519;
pub mod key_encryption;
mod keys;
mod passwords;
mod sealing;
mod tokens;

pub use ed25519::Ed25519;
pub use keys::{KeyError, Keys};
pub use passwords::{PasswordError, Passwords};
pub use sealing::{SealError, SealingKey};
pub use tokens::{TokenHash, derive_key, random_bytes, random_password, random_token, successor_token};

/// The system's random source failed; nothing secret can be made.
#[derive(Debug, thiserror::Error)]
#[error("the system's random source failed")]
pub struct RandomError(#[source] getrandom::Error);
