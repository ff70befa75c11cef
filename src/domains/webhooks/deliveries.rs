//! Tells subscribers of events: signed by the Standard Webhooks specification, again and again until somebody answers with
//! success or the patience is over. Everything goes through the one HTTP client, so no address within the walls is reached.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::dto_subscriptions::{AttemptResponse, DeliveryResponse, ListDeliveriesQuery, RecoveredResponse};
use super::error::Error;
use super::queue::LOOKED_AT;
use super::repository::outbound::{self as rows, Attempt, Delivery, Subscription};
use super::shares::Shares;
use super::signature::{self, Sample, Scheme};
use super::subscriptions::Subscriptions;
use crate::common::error::chain;
use crate::common::names::names;
use crate::common::{Ctx, DeliveryId, Page, SubscriptionId, Timestamp};
use crate::domains::audit::Change;
use crate::infrastructure::crypto;
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::http_client::{Body, Request};

/// Waits before the second, third… attempt: Svix's.
const WAITS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(10 * 3600),
];
/// A subscriber that asks for a longer wait than this is not obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// A subscriber that fails for so long is told no more.
const PATIENCE: Duration = Duration::from_secs(5 * 24 * 3600);
/// Parts of the patience, in percent, at which the tenant is warned.
const WARNINGS: [i32; 3] = [90, 70, 50];
/// An answer is waited for so long.
const TIMEOUT: Duration = Duration::from_secs(15);
/// A process that takes longer than this over an attempt is taken for dead.
const LEASE: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 32;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Of an answer that is kept, in characters.
const MAX_ANSWER: usize = 1000;
/// How long what was told, or given up, is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

names! {
    /// Where a delivery stands.
    DeliveryStatus {
        /// Is to be tried, for the first time or again.
        Pending = "pending",
        /// The subscriber answered with success.
        Delivered = "delivered",
        /// Given up.
        Failed = "failed",
    }
}

impl Subscriptions {
    /// Tells of events until the shutdown.
    pub async fn deliver(self, shutdown: CancellationToken) {
        let mut shares = Shares::new(AT_ONCE);
        let mut looked = None;
        while !shutdown.is_cancelled() {
            // Not each time that an attempt ends.
            if looked.is_none_or(|looked: Instant| looked.elapsed() >= LOOK_EVERY) {
                looked = Some(Instant::now());
                if let Err(error) = self.collect().await {
                    tracing::warn!(error = chain(&error), "events to be told could not be looked for");
                }
            }
            let due = self.due().await.unwrap_or_else(|error| {
                tracing::warn!(error = chain(&error), "what is to be told could not be looked for");
                Vec::new()
            });
            for row in due {
                let subscriptions = self.clone();
                shares.begin(row.id, row.tenant_id, async move {
                    subscriptions.tell(&row).await;
                });
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = shares.one_ended() => {}
                () = self.news.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        shares.all_ended().await;
    }

    /// What is to be told, of each tenant no more than its share.
    async fn due(&self) -> Result<Vec<Delivery>, Error> {
        let (now, share) = (self.clock.now(), Shares::<DeliveryId>::of_tenant(AT_ONCE));
        Ok(rows::due(&self.database.read(AcrossTenants), now, share, LOOKED_AT).await?)
    }

    /// Keeps what happened, and tells what is due now, some of it; gives how much was kept and how many attempts were made.
    pub async fn deliver_due(&self) -> Result<usize, Error> {
        let kept = self.collect().await?.kept;
        let due = self.due().await?;
        let made = join_all(due.iter().map(|row| self.tell(row))).await;
        Ok(kept + made.into_iter().filter(|was_made| *was_made).count())
    }

    /// Whether an attempt was made.
    async fn tell(&self, row: &Delivery) -> bool {
        self.attempt(row).await.unwrap_or_else(|error| {
            tracing::error!(error = chain(&error), "an event could not be told; it is tried again");
            false
        })
    }

    /// `false`: it was not its turn, or somebody else was faster.
    async fn attempt(&self, seen: &Delivery) -> Result<bool, Error> {
        let (tenant, now) = (seen.tenant_id, self.clock.now());
        let connection = &self.database.write(tenant);
        let subscription = rows::find(connection, tenant, seen.subscription_id).await?;
        let Some(mut subscription) = subscription.filter(|row| row.disabled_at.is_none()) else {
            let given_up = Delivery { status: DeliveryStatus::Failed, due_at: None, updated_at: now, ..seen.clone() };
            return Ok(rows::change(connection, seen, &given_up).await?);
        };
        if subscription.ordered
            && let Some(first) = rows::oldest_pending(connection, tenant, subscription.id).await?
            && first.id < seen.id
        {
            // Whoever settles the one before wakes it earlier.
            let due = first.due_at.unwrap_or(now).max(now.plus(LOOK_EVERY));
            rows::change(connection, seen, &Delivery { due_at: Some(due), ..seen.clone() }).await?;
            return Ok(false);
        }
        let mut row = Delivery {
            attempts: seen.attempts.saturating_add(1),
            due_at: Some(now.plus(LEASE)),
            updated_at: now,
            ..seen.clone()
        };
        if !rows::change(connection, seen, &row).await? {
            return Ok(false);
        }
        let (taken, began) = (row.clone(), Instant::now());
        let told = self.send(&subscription, &row).await?;
        let micros = i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX);
        row.updated_at = self.clock.now();
        let succeeded = told.status.is_some_and(|status| (200..300).contains(&status));
        let wait = next_wait(row.attempts, told.retry_after);
        (row.status, row.due_at) = match (succeeded, wait) {
            (true, _) => (DeliveryStatus::Delivered, None),
            (false, Some(wait)) if told.status != Some(410) => {
                (DeliveryStatus::Pending, Some(row.updated_at.plus(wait)))
            }
            (false, _) => (DeliveryStatus::Failed, None),
        };
        let attempt = Attempt {
            id: Uuid::now_v7(),
            tenant_id: tenant,
            delivery_id: row.id,
            attempted_at: now,
            status: told.status.and_then(|status| i16::try_from(status).ok()),
            error: told.error,
            answer: told.answer,
            micros,
        };
        metrics::counter!("millrace_webhook_deliveries_total", "status" => row.status.as_str()).increment(1);
        let transaction = self.database.begin(tenant).await?;
        rows::insert_attempt(&transaction, attempt).await?;
        rows::change(&transaction, &taken, &row).await?;
        if subscription.ordered && row.status != DeliveryStatus::Pending {
            self.wake_next(&transaction, &subscription, row.updated_at).await?;
        }
        let before = subscription.clone();
        let change = judge(&mut subscription, succeeded, told.status == Some(410), row.updated_at);
        // Attempts side by side say the same: the first is heard.
        let is_first = change != Judgement::Same && rows::note(&transaction, &before, &subscription).await?;
        if let (true, Judgement::Tell(action)) = (is_first, change) {
            let after = super::dto_subscriptions::SubscriptionResponse::from(&subscription);
            let change = Change::new(action, subscription.id).after(&after);
            self.audit.record(&transaction, &Ctx::system(tenant), change).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// The one that was held back until now is due.
    async fn wake_next(&self, on: &Transaction, subscription: &Subscription, now: Timestamp) -> Result<(), Error> {
        let next = rows::oldest_pending(on, subscription.tenant_id, subscription.id).await?;
        if let Some(next) = next.filter(|next| next.attempts == 0) {
            rows::change(on, &next, &Delivery { due_at: Some(now), ..next.clone() }).await?;
        }
        Ok(())
    }

    async fn send(&self, subscription: &Subscription, row: &Delivery) -> Result<Told, Error> {
        let now = self.clock.now();
        let secrets = self.secrets(subscription)?;
        let current = secrets.signature.iter().filter(|secret| secret.until.is_none_or(|until| until > now));
        // The newest first.
        let current: Vec<&str> = current.rev().map(|secret| secret.value.expose().as_str()).collect();
        let id = format!("msg_{}", row.id.as_uuid().simple());
        let sample = Sample {
            id: &id,
            at: now.as_seconds(),
            url: &subscription.url,
            content_type: "application/json",
            body: row.payload.as_bytes(),
        };
        let signed = signature::sign(Scheme::StandardWebhooks, &current, &sample);
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(signed.into_iter().map(|(name, value)| (name.to_string(), value.to_string())));
        let request = Request {
            method: "POST".to_owned(),
            url: subscription.url.clone(),
            headers,
            body: Body::Bytes(row.payload.clone().into()),
            timeout: Some(TIMEOUT),
            // A letter of UTF-8 takes up to four bytes.
            reads_only: Some(MAX_ANSWER * 4),
            // A redirect would tell somebody who did not subscribe.
            max_redirects: None,
            ..Request::default()
        };
        let profile = self.tenants.profile(row.tenant_id).await?;
        Ok(match self.http.send(&profile.egress, request).await {
            Ok(response) => {
                let asked = response.headers.iter().find(|(name, _)| name == "retry-after");
                let retry_after = asked.and_then(|(_, value)| retry_after(value, now));
                Told {
                    status: Some(response.status),
                    error: None,
                    answer: Some(String::from_utf8_lossy(&response.body).chars().take(MAX_ANSWER).collect()),
                    retry_after,
                }
            }
            Err(error) => Told { status: None, error: Some(error.to_string()), answer: None, retry_after: None },
        })
    }

    /// What a subscriber was told, or is to be, newest first.
    pub async fn list_deliveries(
        &self,
        ctx: &Ctx,
        id: SubscriptionId,
        query: &ListDeliveriesQuery,
    ) -> Result<Page<DeliveryResponse>, Error> {
        let row = self.row(ctx, id).await?;
        let limit = query.limit.unwrap_or_default().get();
        let before = query.cursor.map(|cursor| DeliveryId::from_uuid(cursor.id()));
        let connection = &self.database.read(ctx);
        let found = rows::deliveries(connection, ctx.tenant, row.id, query.status, before, limit).await?;
        Ok(Page::from_rows(found, limit, |row| row.id.as_uuid(), |row| DeliveryResponse::new(row, None)))
    }

    /// One delivery with its attempts.
    pub async fn get_delivery(&self, ctx: &Ctx, id: DeliveryId) -> Result<DeliveryResponse, Error> {
        let connection = &self.database.read(ctx);
        let row = rows::find_delivery(connection, ctx.tenant, id).await?.ok_or(Error::DeliveryNotFound)?;
        let attempts = rows::attempts(connection, ctx.tenant, id).await?;
        Ok(DeliveryResponse::new(row, Some(attempts.into_iter().map(AttemptResponse::from).collect())))
    }

    /// Tells it again, with the same id, as often as a new one.
    pub async fn resend(&self, ctx: &Ctx, id: DeliveryId) -> Result<DeliveryResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let seen = rows::find_delivery(&transaction, ctx.tenant, id).await?.ok_or(Error::DeliveryNotFound)?;
        let now = self.clock.now();
        let row = Delivery {
            status: DeliveryStatus::Pending,
            attempts: 0,
            due_at: Some(now),
            updated_at: now,
            ..seen.clone()
        };
        rows::change(&transaction, &seen, &row).await?;
        self.audit.record(&transaction, ctx, Change::new("delivery.resend", id)).await?;
        transaction.commit().await?;
        self.news.notify_one();
        Ok(DeliveryResponse::new(row, None))
    }

    /// Tells everything again that was given up since then.
    pub async fn recover(&self, ctx: &Ctx, id: SubscriptionId, since: Timestamp) -> Result<RecoveredResponse, Error> {
        let row = self.row(ctx, id).await?;
        let transaction = self.database.begin(ctx).await?;
        let recovered = rows::recover(&transaction, ctx.tenant, row.id, since, self.clock.now()).await?;
        let response = RecoveredResponse { recovered };
        self.audit.record(&transaction, ctx, Change::new("subscription.recover", id).after(&response)).await?;
        transaction.commit().await?;
        self.news.notify_one();
        Ok(response)
    }

    /// Deletes what was told, or given up, long ago.
    pub async fn prune(&self) -> Result<u64, Error> {
        let before = self.clock.now().minus(KEPT);
        Ok(rows::prune(&self.database.write(AcrossTenants), before).await?)
    }
}

/// What an attempt came to.
struct Told {
    status: Option<u16>,
    error: Option<String>,
    answer: Option<String>,
    retry_after: Option<Duration>,
}

/// What an attempt says of the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    Same,
    Noted,
    /// Something that the tenant has to hear of.
    Tell(&'static str),
}

/// Notes how attempts go: how long they fail, warnings, and the end of patience.
fn judge(subscription: &mut Subscription, succeeded: bool, gone: bool, now: Timestamp) -> Judgement {
    if succeeded {
        if subscription.failing_since.is_none() {
            return Judgement::Same;
        }
        (subscription.failing_since, subscription.warned) = (None, 0);
        return Judgement::Noted;
    }
    let disable = |subscription: &mut Subscription, reason: &str| {
        (subscription.disabled_at, subscription.disabled_reason) = (Some(now), Some(reason.to_owned()));
        Judgement::Tell("subscription.disable")
    };
    if gone {
        return disable(subscription, "the address answered 410 Gone");
    }
    let since = *subscription.failing_since.get_or_insert(now);
    let failing = now.since(since);
    // Where attempts are rare the time may be up before anybody was warned.
    if failing >= PATIENCE && subscription.warned > 0 {
        return disable(subscription, "every attempt failed for five days");
    }
    let reached = WARNINGS.into_iter().find(|percent| {
        let part = PATIENCE / 100 * u32::try_from(*percent).unwrap_or_default();
        failing >= part && subscription.warned < *percent
    });
    match reached {
        Some(percent) => {
            subscription.warned = percent;
            Judgement::Tell("subscription.failing")
        }
        None => Judgement::Noted,
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_millis(date.as_millisecond()).since(now))
}

/// When to try again after so many attempts: as the schedule says, a tenth more or less so that not all come back at once,
/// but not before the subscriber wants it. `None`: never any more.
fn next_wait(attempts: i32, asked: Option<Duration>) -> Option<Duration> {
    let at = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let scheduled = *WAITS.get(at)?;
    let byte = crypto::random_bytes::<1>().map_or(128, |[byte]| byte);
    // From 90 to 110 percent.
    let jittered = scheduled * (900 + u32::from(byte) * 200 / 255) / 1000;
    Some(jittered.max(asked.unwrap_or_default().min(LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::{SubscriptionId, TenantId};

    fn subscription() -> Subscription {
        Subscription {
            id: SubscriptionId::new(),
            tenant_id: TenantId::new(),
            name: String::new(),
            url: String::new(),
            events: "[]".to_owned(),
            ordered: false,
            secrets: Vec::new(),
            reached: String::new(),
            failing_since: None,
            warned: 0,
            disabled_at: None,
            disabled_reason: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    #[test]
    fn patience_ends_after_five_days_with_warnings_before() {
        let mut row = subscription();
        let hours = |hours: i64| Timestamp::from_millis(hours * 3_600_000);
        for (at, expected) in [
            (0, Judgement::Noted),
            (59, Judgement::Noted),
            (60, Judgement::Tell("subscription.failing")),
            (61, Judgement::Noted),
            (84, Judgement::Tell("subscription.failing")),
            (109, Judgement::Tell("subscription.failing")),
            (119, Judgement::Noted),
            (120, Judgement::Tell("subscription.disable")),
        ] {
            assert_eq!(judge(&mut row, false, false, hours(at)), expected, "after {at} hours");
        }
        assert!(row.disabled_at.is_some());
    }

    #[test]
    fn one_success_ends_the_count_and_gone_means_gone() {
        let mut row = subscription();
        assert_eq!(judge(&mut row, true, false, Timestamp::default()), Judgement::Same);
        judge(&mut row, false, false, Timestamp::default());
        assert_eq!(judge(&mut row, true, false, Timestamp::from_millis(1)), Judgement::Noted);
        assert_eq!(row.failing_since, None);
        assert_eq!(judge(&mut row, false, true, Timestamp::default()), Judgement::Tell("subscription.disable"));
    }

    #[test]
    fn nobody_is_disabled_without_a_warning() {
        let mut row = subscription();
        judge(&mut row, false, false, Timestamp::default());
        let days = |days: i64| Timestamp::from_millis(days * 86_400_000);
        assert_eq!(judge(&mut row, false, false, days(9)), Judgement::Tell("subscription.failing"));
        assert_eq!(judge(&mut row, false, false, days(10)), Judgement::Tell("subscription.disable"));
    }

    #[test]
    fn subscribers_ask_for_seconds_or_a_date() {
        let now = Timestamp::from_millis(1_445_412_420_000);
        for (text, expected) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn waits_grow_and_heed_the_subscriber() {
        for attempts in 1..=7 {
            let scheduled = WAITS[usize::try_from(attempts).unwrap() - 1];
            let wait = next_wait(attempts, None).unwrap();
            assert!(wait >= scheduled * 9 / 10 && wait <= scheduled * 11 / 10, "{attempts}: {wait:?}");
        }
        assert_eq!(next_wait(8, None), None);
        assert_eq!(next_wait(1, Some(Duration::from_secs(60))), Some(Duration::from_secs(60)));
        assert_eq!(next_wait(1, Some(Duration::from_secs(99_999_999))), Some(LONGEST_WAIT));
    }
}
