//! API keys: made by a member, shown once, stored as a hash, never worth more than their maker.

use super::authenticate::KnownKey;
use super::dto::{ApiKeyResponse, CreateApiKey, CreatedApiKeyResponse};
use super::entities::api_key;
use super::error::Error;
use super::repository;
use super::service::Service;
use crate::common::{Actor, ApiKeyId, Ctx, Page, PageQuery, Permission, Permissions, Secret, Timestamp};
use crate::domains::audit::Change;
use crate::infrastructure::crypto::{self, TokenHash};
use crate::infrastructure::database::AcrossTenants;

/// Keys begin with this, so that they can be told from access tokens and found by secret scanners.
const PREFIX: &str = "mrk_";
/// Characters of a key that are kept to recognise it by.
const SHOWN_LENGTH: usize = 12;
/// `last_used_at` is this coarse, so that a busy key does not write on each request.
const TOUCH_INTERVAL_SECONDS: u64 = 60;

/// Whether a bearer token is meant as an API key.
pub(super) fn looks_like_key(token: &Secret<String>) -> bool {
    token.expose().starts_with(PREFIX)
}

impl Service {
    /// Makes a key. Its secret is in the answer and nowhere else.
    pub async fn create_api_key(&self, ctx: &Ctx, new: CreateApiKey) -> Result<CreatedApiKeyResponse, Error> {
        let owner = ctx.actor.user().ok_or(Error::PersonNeeded)?;
        let now = self.clock.now();
        let wanted = new.permissions.as_ref().map_or(ctx.permissions, |list| list.iter().copied().collect());
        if !wanted.is_subset_of(ctx.permissions) {
            let missing = wanted.iter().filter(|permission| !ctx.permissions.contains(*permission)).collect();
            return Err(Error::BeyondOwnPermissions { missing });
        }
        if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Error::ExpiryInThePast);
        }
        let (expires_at, requests_per_minute) = self.as_its_maker(ctx, &new).await?;
        let key = crypto::random_token(PREFIX)?;
        let row = api_key::Model {
            id: ApiKeyId::new(),
            tenant_id: ctx.tenant,
            user_id: owner,
            name: new.name,
            prefix: key.expose().chars().take(SHOWN_LENGTH).collect(),
            hash: TokenHash::of(key.expose()).as_bytes().to_vec(),
            permissions: write_permissions(wanted),
            created_at: now,
            expires_at,
            last_used_at: None,
            requests_per_minute,
        };
        let response = ApiKeyResponse::from(row.clone());
        let transaction = self.database.begin(ctx).await?;
        repository::insert_api_key(&transaction, row).await?;
        let change = Change::new("apiKey.create", response.id).after(&response);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(CreatedApiKeyResponse { api_key: response, key: key.expose().clone() })
    }

    /// Until when the key lasts and how many requests it allows: where a key makes it, no longer and no more than that one.
    async fn as_its_maker(&self, ctx: &Ctx, new: &CreateApiKey) -> Result<(Option<Timestamp>, Option<i64>), Error> {
        let wanted = (new.expires_at, new.requests_per_minute.map(i64::from));
        let Actor::ApiKey { key, .. } = ctx.actor else { return Ok(wanted) };
        let maker = repository::find_api_key(&self.database.read(ctx), ctx.tenant, key).await?;
        let maker = maker.ok_or(Error::InvalidApiKey)?;
        Ok((least(wanted.0, maker.expires_at), least(wanted.1, maker.requests_per_minute)))
    }

    /// The tenant's keys, without their secrets.
    pub async fn list_api_keys(&self, ctx: &Ctx, query: &PageQuery) -> Result<Page<ApiKeyResponse>, Error> {
        let rows = repository::list_api_keys(&self.database.read(ctx), ctx.tenant, query).await?;
        Ok(Page::from_rows(rows, query.limit(), |row| row.id.as_uuid(), ApiKeyResponse::from))
    }

    /// Deletes a key; it stops working at once here and within seconds on other replicas.
    pub async fn delete_api_key(&self, ctx: &Ctx, id: ApiKeyId) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        let row = repository::find_api_key(&transaction, ctx.tenant, id).await?.ok_or(Error::ApiKeyNotFound)?;
        repository::delete_api_key(&transaction, ctx.tenant, id).await?;
        let hash = TokenHash::from_stored(&row.hash);
        let before = ApiKeyResponse::from(row);
        self.audit.record(&transaction, ctx, Change::new("apiKey.delete", id).before(&before)).await?;
        transaction.commit().await?;
        if let Some(hash) = hash {
            self.known.forget_api_key(&hash);
        }
        Ok(())
    }

    /// What a key stands for now: its permissions, cut down to what its owner still holds.
    pub(super) async fn look_up_api_key(&self, hash: &TokenHash, now: Timestamp) -> Result<KnownKey, Error> {
        let found = repository::find_api_key_by_hash(&self.database.read(AcrossTenants), hash).await?;
        let row = found.ok_or(Error::InvalidApiKey)?;
        let membership = self.users.find_membership(row.tenant_id, row.user_id).await?.ok_or(Error::InvalidApiKey)?;
        self.touch(&row, now);
        Ok(KnownKey {
            id: row.id,
            tenant: row.tenant_id,
            owner: row.user_id,
            permissions: read_permissions(&row.permissions).intersection(membership.permissions),
            expires_at: row.expires_at,
            requests_per_minute: row.requests_per_minute.and_then(|limit| u64::try_from(limit).ok()),
        })
    }

    /// Notes the use in the background: no request waits for it.
    fn touch(&self, row: &api_key::Model, now: Timestamp) {
        let fresh = row.last_used_at.is_some_and(|used| now.since(used).as_secs() < TOUCH_INTERVAL_SECONDS);
        if fresh {
            return;
        }
        let (database, tenant, id) = (self.database.clone(), row.tenant_id, row.id);
        tokio::spawn(async move {
            if let Err(error) = repository::touch_api_key(&database.write(tenant), tenant, id, now).await {
                tracing::warn!(%error, "the use of an API key could not be noted");
            }
        });
    }
}

impl From<api_key::Model> for ApiKeyResponse {
    fn from(row: api_key::Model) -> ApiKeyResponse {
        ApiKeyResponse {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            user_id: row.user_id,
            permissions: read_permissions(&row.permissions).iter().collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            requests_per_minute: row.requests_per_minute.and_then(|limit| u32::try_from(limit).ok()),
        }
    }
}

/// The smaller of two limits; None is no limit.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn write_permissions(permissions: Permissions) -> String {
    permissions.iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
}

/// Permissions that no longer exist allow nothing.
fn read_permissions(text: &str) -> Permissions {
    text.split_whitespace().filter_map(|name| name.parse::<Permission>().ok()).collect()
}
