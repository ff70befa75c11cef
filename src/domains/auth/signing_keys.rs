//! The keys that sign access tokens. A new one is published before it signs, so that every replica knows it by then; an old one
//! verifies until the last token it signed has expired. Stored sealed, shared by all replicas.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::access_token::LEEWAY_SECONDS;
use super::dto::{JwkResponse, JwksResponse};
use super::entities::signing_key;
use super::error::Error;
use super::repository;
use crate::common::{Clock, Secret, Timestamp};
use crate::infrastructure::config;
use crate::infrastructure::crypto::{Ed25519, SealingKey, random_bytes};
use crate::infrastructure::database::{AcrossTenants, Database};

/// How long the set is believed without looking again.
const BELIEVED: Duration = Duration::from_secs(60);
/// A token that names an unknown key makes us look again, but not more often than this.
const LOOKED_AGAIN: Duration = Duration::from_secs(5);
/// From a key's making until it signs: longer than any replica believes an older set.
const LEAD: Duration = Duration::from_secs(120);

/// One key.
pub(super) struct SigningKey {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: Vec<u8>,
    created_at: Timestamp,
}

/// The keys known at a time, oldest first.
pub(super) struct KeySet {
    keys: Vec<SigningKey>,
    loaded_at: Timestamp,
}

/// Loads, rotates and shows the keys.
pub(super) struct SigningKeys {
    database: Database,
    clock: Arc<dyn Clock>,
    sealing: SealingKey,
    /// A key signs this long.
    term: Duration,
    /// A token lives this long.
    token_life: Duration,
    known: RwLock<Option<Arc<KeySet>>>,
    loading: tokio::sync::Mutex<()>,
}

impl SigningKey {
    pub(super) fn from_seed(seed: &Secret<[u8; 32]>, created_at: Timestamp) -> SigningKey {
        let key = Ed25519::from_seed(seed);
        SigningKey {
            id: key.id(),
            encoding: EncodingKey::from_ed_der(key.private_der().expose()),
            decoding: DecodingKey::from_ed_der(key.public_bytes()),
            public: key.public_bytes().to_vec(),
            created_at,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

impl KeySet {
    pub(super) fn new(keys: Vec<SigningKey>, loaded_at: Timestamp) -> KeySet {
        KeySet { keys, loaded_at }
    }

    /// The newest key that every replica knows by now; the first one has nobody to wait for.
    pub(super) fn signing(&self, now: Timestamp) -> Option<&SigningKey> {
        self.keys.iter().rev().find(|key| key.created_at.plus(LEAD) <= now).or_else(|| self.keys.first())
    }

    pub(super) fn find(&self, id: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Keys whose successor has signed for longer than a token lives.
    fn outlived(&self, token_life: Duration, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        let leeway = Duration::from_secs(LEEWAY_SECONDS.unsigned_abs());
        let overlap = LEAD.saturating_add(BELIEVED).saturating_add(token_life).saturating_add(leeway);
        let pairs = self.keys.iter().zip(self.keys.iter().skip(1));
        pairs.filter(move |(_, successor)| successor.created_at.plus(overlap) <= now).map(|(key, _)| key)
    }
}

impl SigningKeys {
    pub(super) fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        sealing: SealingKey,
        config: &config::Auth,
    ) -> SigningKeys {
        SigningKeys {
            database,
            clock,
            sealing,
            term: Duration::from_secs(config.signing_key_days.saturating_mul(86_400)),
            token_life: config.access_token_life(),
            known: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    /// The keys as they were at most a minute ago.
    pub(super) async fn current(&self) -> Result<Arc<KeySet>, Error> {
        self.not_older_than(BELIEVED).await
    }

    /// The keys as they were a moment ago: for a token that names a key which [`SigningKeys::current`] does not hold.
    pub(super) async fn fresh(&self) -> Result<Arc<KeySet>, Error> {
        self.not_older_than(LOOKED_AGAIN).await
    }

    /// Makes the next key when it is time, and deletes those that no living token needs. Any number of processes may do it.
    pub(super) async fn rotate(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let transaction = self.database.begin(AcrossTenants).await?;
        let keys = self.open(repository::lock_signing_keys(&transaction).await?)?;
        let set = KeySet::new(keys, now);
        if set.keys.last().is_none_or(|newest| newest.created_at.plus(self.term) <= now) {
            let row = self.make(now)?;
            tracing::info!(kid = row.id, "a new key will sign access tokens");
            repository::insert_signing_key(&transaction, row).await?;
        }
        for key in set.outlived(self.token_life, now) {
            repository::delete_signing_key(&transaction, &key.id).await?;
        }
        transaction.commit().await?;
        self.load(now).await?;
        Ok(())
    }

    /// The public halves (RFC 7517, RFC 8037), for programs that check our tokens themselves.
    pub(super) async fn public(&self) -> Result<JwksResponse, Error> {
        let set = self.current().await?;
        let keys = set.keys.iter().map(|key| JwkResponse {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            purpose: "sig",
            kid: key.id.clone(),
            x: BASE64_URL_SAFE_NO_PAD.encode(&key.public),
        });
        Ok(JwksResponse { keys: keys.collect() })
    }

    async fn not_older_than(&self, age: Duration) -> Result<Arc<KeySet>, Error> {
        let young = |set: &Arc<KeySet>| self.clock.now() < set.loaded_at.plus(age);
        if let Some(set) = self.known().filter(young) {
            return Ok(set);
        }
        // One looks, the others wait for what it finds.
        let _loading = self.loading.lock().await;
        match self.known().filter(young) {
            Some(set) => Ok(set),
            None => self.load(self.clock.now()).await,
        }
    }

    fn known(&self) -> Option<Arc<KeySet>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn load(&self, now: Timestamp) -> Result<Arc<KeySet>, Error> {
        let mut rows = repository::list_signing_keys(&self.database.read(AcrossTenants)).await?;
        if rows.is_empty() {
            repository::insert_signing_key(&self.database.write(AcrossTenants), self.make(now)?).await?;
            rows = repository::list_signing_keys(&self.database.read(AcrossTenants)).await?;
        }
        let set = Arc::new(KeySet::new(self.open(rows)?, now));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&set));
        Ok(set)
    }

    fn make(&self, now: Timestamp) -> Result<signing_key::Model, Error> {
        let seed = Secret::new(random_bytes::<32>()?);
        let id = Ed25519::from_seed(&seed).id();
        let sealed = self.sealing.seal(seed.expose(), id.as_bytes())?;
        Ok(signing_key::Model { id, seed: sealed, created_at: now })
    }

    fn open(&self, rows: Vec<signing_key::Model>) -> Result<Vec<SigningKey>, Error> {
        let open = |row: signing_key::Model| {
            let seed = self.sealing.open(&row.seed, row.id.as_bytes())?;
            let seed = <[u8; 32]>::try_from(seed.expose().as_slice()).map_err(|_| Error::UnreadableKey)?;
            Ok(SigningKey::from_seed(&Secret::new(seed), row.created_at))
        };
        rows.into_iter().map(open).collect()
    }
}
