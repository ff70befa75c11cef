//! Remembers which `Idempotency-Key`s were used for what, and the answers given.

mod row;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{AcrossTenants, Database, Error, Scoped};
use crate::common::{Clock, TenantId, Timestamp};

/// A request that began this long ago and has no answer died with its process.
const ABANDONED_AFTER: Duration = Duration::from_secs(120);

/// The keys used, by tenant. Cheap to clone.
#[derive(Clone)]
pub struct IdempotencyKeys {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// What was given as key, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub tenant: TenantId,
    /// Hash over the caller and the key.
    pub key: [u8; 32],
    /// Hash over the request.
    pub fingerprint: [u8; 32],
}

/// What a key says about an attempt.
#[derive(Debug)]
pub enum Begun {
    /// Not used before: go on, and say how it ended.
    First,
    /// The same request is being worked on.
    InProgress,
    /// The key was used for another request.
    OtherRequest,
    /// The request was answered; None when the answer must not be kept.
    Answered(Option<Answer>),
}

/// An answer as it was given.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

impl IdempotencyKeys {
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> IdempotencyKeys {
        IdempotencyKeys { database, clock }
    }

    /// Claims the key for this attempt, or says who has it.
    pub async fn begin(&self, attempt: &Attempt) -> Result<Begun, Error> {
        self.begin_within(attempt, Duration::MAX).await
    }

    /// The same, but a key used longer ago than `window` counts as not used.
    pub async fn begin_within(&self, attempt: &Attempt, window: Duration) -> Result<Begun, Error> {
        let now = self.clock.now();
        let new = row::Model {
            tenant_id: attempt.tenant,
            key_hash: attempt.key.to_vec(),
            fingerprint: attempt.fingerprint.to_vec(),
            created_at: now,
            status: None,
            content_type: None,
            body: None,
        };
        let columns = [row::Column::TenantId, row::Column::KeyHash];
        let inserted = row::Entity::insert(new.into_active_model())
            .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
            .exec_without_returning(&self.database.write(attempt.tenant))
            .await?;
        if inserted == 1 {
            return Ok(Begun::First);
        }
        let Some(known) =
            row::Entity::scoped(attempt.tenant).filter(key(attempt)).one(&self.database.write(attempt.tenant)).await?
        else {
            // Taken back between the two statements: as good as in progress, the caller tries again.
            return Ok(Begun::InProgress);
        };
        if known.created_at < now.minus(window) {
            return self.take_over(attempt, known.created_at).await;
        }
        if known.fingerprint != attempt.fingerprint {
            return Ok(Begun::OtherRequest);
        }
        let Some(status) = known.status else {
            if known.created_at > now.minus(ABANDONED_AFTER) {
                return Ok(Begun::InProgress);
            }
            return self.take_over(attempt, known.created_at).await;
        };
        let status = u16::try_from(status).unwrap_or(200);
        Ok(Begun::Answered(known.body.map(|body| Answer { status, content_type: known.content_type, body })))
    }

    /// Begins anew with a key that was used before. Whoever moves the time on has it.
    async fn take_over(&self, attempt: &Attempt, used_at: Timestamp) -> Result<Begun, Error> {
        let taken_over = row::Entity::update_scoped(attempt.tenant)
            .col_expr(row::Column::CreatedAt, Expr::value(self.clock.now()))
            .col_expr(row::Column::Fingerprint, Expr::value(attempt.fingerprint.as_slice()))
            .col_expr(row::Column::Status, Expr::value(None::<i16>))
            .col_expr(row::Column::Body, Expr::value(None::<Vec<u8>>))
            .filter(key(attempt))
            .filter(row::Column::CreatedAt.eq(used_at))
            .exec(&self.database.write(attempt.tenant))
            .await?;
        Ok(if taken_over.rows_affected == 1 { Begun::First } else { Begun::InProgress })
    }

    /// Keeps the answer; None for one that must not be stored, such as a new secret.
    pub async fn finish(&self, attempt: &Attempt, status: u16, answer: Option<Answer>) -> Result<(), Error> {
        let status = i16::try_from(status).unwrap_or(200);
        let (content_type, body) = answer.map(|answer| (answer.content_type, Some(answer.body))).unwrap_or_default();
        row::Entity::update_scoped(attempt.tenant)
            .col_expr(row::Column::Status, Expr::value(status))
            .col_expr(row::Column::ContentType, Expr::value(content_type))
            .col_expr(row::Column::Body, Expr::value(body))
            .filter(key(attempt))
            .exec(&self.database.write(attempt.tenant))
            .await?;
        Ok(())
    }

    /// Gives the key back: the attempt changed nothing.
    pub async fn abandon(&self, attempt: &Attempt) -> Result<(), Error> {
        row::Entity::delete_scoped(attempt.tenant)
            .filter(key(attempt))
            .exec(&self.database.write(attempt.tenant))
            .await?;
        Ok(())
    }

    /// Forgets keys older than this, of every tenant; says how many.
    pub async fn prune(&self, age: Duration) -> Result<u64, Error> {
        let before = self.clock.now().minus(age);
        let delete = row::Entity::delete_across_tenants().filter(row::Column::CreatedAt.lt(before));
        Ok(delete.exec(&self.database.write(AcrossTenants)).await?.rows_affected)
    }
}

fn key(attempt: &Attempt) -> sea_orm::sea_query::SimpleExpr {
    row::Column::KeyHash.eq(attempt.key.as_slice())
}
