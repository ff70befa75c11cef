//! Remembers which `Idempotency-Key`s were used for what, and the answers given.

mod row;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{AcrossTenants, Database, Error, Scoped};
use crate::common::{Clock, TenantId, Timestamp};

/// A request that began this long ago and has no answer died with its process.
pub const ABANDONED_AFTER: Duration = Duration::from_secs(120);
/// How long marks are kept at least, whatever becomes of other keys: a signature counts that is a day off, either way.
pub const LONGEST_MARK: Duration = Duration::from_secs(2 * 86_400 + 1);
/// Of a mark, which has no answer.
const MARKED: i16 = 0;

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

impl From<bool> for Begun {
    fn from(is_taken_over: bool) -> Begun {
        if is_taken_over { Begun::First } else { Begun::InProgress }
    }
}

impl IdempotencyKeys {
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> IdempotencyKeys {
        IdempotencyKeys { database, clock }
    }

    /// Claims the key for this attempt, or says who has it.
    pub async fn begin(&self, attempt: &Attempt) -> Result<Begun, Error> {
        self.begin_within(attempt, Duration::MAX, ABANDONED_AFTER).await
    }

    /// The same, but a key used longer ago than `window` counts as not used. `patience`: a request that has no answer after
    /// this long died with its process.
    pub async fn begin_within(&self, attempt: &Attempt, window: Duration, patience: Duration) -> Result<Begun, Error> {
        let now = self.clock.now();
        if self.insert(attempt, None).await? {
            return Ok(Begun::First);
        }
        let Some(known) = self.known(attempt).await? else {
            // Taken back between the two statements: as good as in progress, the caller tries again.
            return Ok(Begun::InProgress);
        };
        if known.created_at < now.minus(window) {
            return Ok(self.take_over(attempt, known.created_at, None).await?.into());
        }
        if known.fingerprint != attempt.fingerprint {
            return Ok(Begun::OtherRequest);
        }
        let Some(status) = known.status else {
            if known.created_at > now.minus(patience) {
                return Ok(Begun::InProgress);
            }
            return Ok(self.take_over(attempt, known.created_at, None).await?.into());
        };
        let status = u16::try_from(status).unwrap_or(200);
        Ok(Begun::Answered(known.body.map(|body| Answer { status, content_type: known.content_type, body })))
    }

    /// Marks a key as used, with nothing to come after it. `false`: it was marked within the last `life`.
    pub async fn mark(&self, attempt: &Attempt, life: Duration) -> Result<bool, Error> {
        if self.insert(attempt, Some(MARKED)).await? {
            return Ok(true);
        }
        let Some(known) = self.known(attempt).await? else { return Ok(false) };
        if known.created_at >= self.clock.now().minus(life) {
            return Ok(false);
        }
        self.take_over(attempt, known.created_at, Some(MARKED)).await
    }

    /// `false`: the key is known.
    async fn insert(&self, attempt: &Attempt, status: Option<i16>) -> Result<bool, Error> {
        let new = row::Model {
            tenant_id: attempt.tenant,
            key_hash: attempt.key.to_vec(),
            fingerprint: attempt.fingerprint.to_vec(),
            created_at: self.clock.now(),
            status,
            content_type: None,
            body: None,
        };
        let columns = [row::Column::TenantId, row::Column::KeyHash];
        let inserted = row::Entity::insert(new.into_active_model())
            .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
            .exec_without_returning(&self.database.write(attempt.tenant))
            .await?;
        Ok(inserted == 1)
    }

    async fn known(&self, attempt: &Attempt) -> Result<Option<row::Model>, Error> {
        let connection = &self.database.write(attempt.tenant);
        row::Entity::scoped(attempt.tenant).filter(key(attempt)).one(connection).await
    }

    /// Begins anew with a key that was used before. Whoever moves the time on has it.
    async fn take_over(&self, attempt: &Attempt, used_at: Timestamp, status: Option<i16>) -> Result<bool, Error> {
        let taken_over = row::Entity::update_scoped(attempt.tenant)
            .col_expr(row::Column::CreatedAt, Expr::value(self.clock.now()))
            .col_expr(row::Column::Fingerprint, Expr::value(attempt.fingerprint.as_slice()))
            .col_expr(row::Column::Status, Expr::value(status))
            .col_expr(row::Column::Body, Expr::value(None::<Vec<u8>>))
            .filter(key(attempt))
            .filter(row::Column::CreatedAt.eq(used_at))
            .exec(&self.database.write(attempt.tenant))
            .await?;
        Ok(taken_over.rows_affected == 1)
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
        let now = self.clock.now();
        let is_old = |age| row::Column::CreatedAt.lt(now.minus(age));
        // Null, while a request is being worked on.
        let is_answer = row::Column::Status.is_null().or(row::Column::Status.ne(MARKED));
        let over = is_old(age).and(is_answer.or(is_old(age.max(LONGEST_MARK))));
        let delete = row::Entity::delete_across_tenants().filter(over);
        Ok(delete.exec(&self.database.write(AcrossTenants)).await?.rows_affected)
    }
}

fn key(attempt: &Attempt) -> sea_orm::sea_query::SimpleExpr {
    row::Column::KeyHash.eq(attempt.key.as_slice())
}
