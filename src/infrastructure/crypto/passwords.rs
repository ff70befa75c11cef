//! Password hashing: Argon2id off the async threads, a bounded number at a time, so that logins cannot starve the server.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::common::Secret;
use crate::infrastructure::config;

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Memory in KiB, passes, lanes.
    costs: (u32, u32, u32),
    /// Each hash takes tens of MiB and a core.
    permits: Arc<Semaphore>,
    /// What an unknown user's password is compared with, so that the answer takes as long as a known user's.
    decoy: Arc<str>,
}

/// The hash could not be computed.
#[derive(Debug, thiserror::Error)]
#[error("password hashing failed: {0}")]
pub struct PasswordError(String);

impl Passwords {
    pub fn new(config: &config::Auth) -> Result<Passwords, PasswordError> {
        let params = Params::new(config.argon2_memory_kib, config.argon2_passes, config.argon2_lanes, None)
            .map_err(|error| PasswordError(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, "a password nobody has")?.into();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let costs = (config.argon2_memory_kib, config.argon2_passes, config.argon2_lanes);
        Ok(Passwords { argon2, costs, permits: Arc::new(Semaphore::new(threads)), decoy })
    }

    /// A PHC string: `$argon2id$v=19$m=…`.
    pub async fn hash(&self, password: Secret<String>) -> Result<String, PasswordError> {
        let argon2 = self.argon2.clone();
        self.blocking(move || hash(&argon2, password.expose())).await?
    }

    /// Whether the password is the one hashed. Without a hash (unknown user) takes the same time and says no.
    pub async fn verify(&self, password: Secret<String>, stored: Option<String>) -> Result<bool, PasswordError> {
        let argon2 = self.argon2.clone();
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.to_string());
        let matches = self.blocking(move || verify(&argon2, password.expose(), &stored)).await??;
        Ok(matches && known)
    }

    /// Whether the hash was made under other parameters than today's, and should be made anew while the password is at hand.
    pub fn is_outdated(&self, stored: &str) -> bool {
        let Ok(parsed) = PasswordHash::new(stored) else { return true };
        let costs = Params::try_from(&parsed).ok().map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
        parsed.algorithm != Algorithm::Argon2id.ident() || costs != Some(self.costs)
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let _permit = self.permits.acquire().await.map_err(|error| PasswordError(error.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| PasswordError(error.to_string()))
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, PasswordError> {
    let hash = argon2.hash_password(password.as_bytes()).map_err(|error| PasswordError(error.to_string()))?;
    Ok(hash.to_string())
}

fn verify(argon2: &Argon2<'_>, password: &str, stored: &str) -> Result<bool, PasswordError> {
    let parsed = PasswordHash::new(stored).map_err(|error| PasswordError(error.to_string()))?;
    match argon2.verify_password(password.as_bytes(), &parsed) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infrastructure::config::Config;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_accepted() {
        let mut config = Config::defaults().unwrap();
        config.auth.argon2_memory_kib = 64;
        let passwords = Passwords::new(&config.auth).unwrap();
        let secret = |text: &str| Secret::new(text.to_owned());
        let stored = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{stored}");
        assert!(passwords.verify(secret("correct horse"), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(secret("wrong horse"), Some(stored)).await.unwrap());
        assert!(!passwords.verify(secret("a password nobody has"), None).await.unwrap());
        assert!(passwords.verify(secret("x"), Some("not a hash".to_owned())).await.is_err());
    }

    /// An answer at once would tell who has an account. Real parameters: small ones would drown in the rest.
    #[tokio::test]
    async fn nobodys_password_takes_as_long_as_somebodys() {
        let passwords = Passwords::new(&Config::defaults().unwrap().auth).unwrap();
        let secret = |text: &str| Secret::new(text.to_owned());
        let stored = passwords.hash(secret("correct horse")).await.unwrap();
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..7 {
            for (times, stored) in times.iter_mut().zip([Some(stored.clone()), None]) {
                let begun = std::time::Instant::now();
                assert!(!passwords.verify(secret("wrong horse"), stored).await.unwrap());
                times.push(begun.elapsed());
            }
        }
        let [known, unknown] = times.map(|mut times| {
            times.sort_unstable();
            times[3]
        });
        assert!(unknown * 3 > known && known * 3 > unknown, "{known:?} and {unknown:?}");
    }

    #[tokio::test]
    async fn hashes_made_under_other_parameters_are_outdated_and_still_good() {
        let mut config = Config::defaults().unwrap();
        config.auth.argon2_memory_kib = 64;
        let secret = || Secret::new("correct horse".to_owned());
        let old = Passwords::new(&config.auth).unwrap();
        let stored = old.hash(secret()).await.unwrap();
        assert!(!old.is_outdated(&stored));
        config.auth.argon2_passes = 3;
        let new = Passwords::new(&config.auth).unwrap();
        assert!(new.is_outdated(&stored));
        assert!(new.verify(secret(), Some(stored)).await.unwrap());
        assert!(new.is_outdated("not a hash"));
    }
}
