//! Executions and events as those see them who look on.

use std::str::FromStr;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde_json::value::RawValue;

use super::dto::{EventResponse, EventsPage, TimelineEvent};
use super::error::Error;
use super::service::Service;
use super::watching::{self, Seen};
use crate::common::permission::{Permission, Permissions};
use crate::common::{Ctx, ExecutionId};
use crate::infrastructure::events::{Place, Scope, Stored};

/// A stream lasts no longer than an access token by default: keys are revoked, members leave, tenants are suspended.
const LONGEST: Duration = Duration::from_secs(15 * 60);

impl Service {
    /// What happened to an execution after the event given, and what happens until it is over.
    pub async fn watch(
        &self,
        ctx: &Ctx,
        id: ExecutionId,
        last: Option<&str>,
    ) -> Result<impl Stream<Item = TimelineEvent> + Send + use<>, Error> {
        let row = self.row(ctx, id).await?;
        Ok(for_a_while(watching::watch(self.executor(), row, parsed::<Seen>(last)?).await?, LONGEST))
    }

    /// The tenant's events after the one given, as they happen; of these types, separated by commas.
    pub async fn follow(
        &self,
        ctx: &Ctx,
        last: Option<&str>,
        types: Option<&str>,
    ) -> Result<impl Stream<Item = EventResponse> + Send + use<>, Error> {
        let place = parsed::<Place>(last)?;
        let mut show = shown_to(ctx, types);
        let events = self.executor().0.events.follow(ctx.tenant, place, Scope::WithoutRecords).await?;
        Ok(for_a_while(events.filter_map(move |event| std::future::ready(show(event))), LONGEST))
    }

    /// Those of the tenant's events that are there; from now on they are kept. Without a last one only the place to go on
    /// from is given.
    pub async fn events(&self, ctx: &Ctx, last: Option<&str>, types: Option<&str>) -> Result<EventsPage, Error> {
        let (place, bus) = (parsed::<Place>(last)?, &self.executor().0.events);
        bus.attend_live(ctx.tenant).await?;
        let Some(place) = place else {
            return Ok(EventsPage {
                data: Vec::new(),
                last_event_id: bus.newest(ctx.tenant, Scope::WithoutRecords).await?.to_string(),
            });
        };
        let found = bus.after(ctx.tenant, place, Scope::WithoutRecords).await?;
        let last_event_id = found.last().map_or(place, |last| last.place).to_string();
        Ok(EventsPage { data: found.into_iter().filter_map(shown_to(ctx, types)).collect(), last_event_id })
    }
}

/// Ends a stream when it is time to ask again whether the caller may see it; who comes back misses nothing.
fn for_a_while<T>(events: impl Stream<Item = T> + Send, longest: Duration) -> impl Stream<Item = T> + Send {
    events.take_until(Box::pin(tokio::time::sleep(longest)))
}

/// Shows the events that the caller wants, and may see.
fn shown_to(ctx: &Ctx, types: Option<&str>) -> impl FnMut(Stored) -> Option<EventResponse> + Send + use<> {
    let types: Option<Vec<String>> = types.map(|list| list.split(',').map(|kind| kind.trim().to_owned()).collect());
    let permissions = ctx.permissions;
    move |event| {
        let is_wanted = types.as_ref().is_none_or(|types| types.contains(&event.kind));
        (is_wanted && may_see(permissions, &event.kind)).then(|| shown(event)).flatten()
    }
}

/// What an event is about says who may see it; what is about something unknown is for those who may read everything.
fn may_see(permissions: Permissions, kind: &str) -> bool {
    permissions.contains(match kind.split_once('.').map_or(kind, |(about, _)| about) {
        "execution" => Permission::ExecutionsRead,
        "workflow" => Permission::WorkflowsRead,
        "credential" | "connect_session" => Permission::CredentialsRead,
        "schedule" => Permission::SchedulesRead,
        "webhook" => Permission::WebhooksRead,
        _ => Permission::AuditRead,
    })
}

fn shown(event: Stored) -> Option<EventResponse> {
    let data = RawValue::from_string(event.data).ok()?;
    Some(EventResponse { id: event.place.to_string(), kind: event.kind, at: event.at, data })
}

fn parsed<T: FromStr>(last: Option<&str>) -> Result<Option<T>, Error> {
    last.map(|text| text.parse().map_err(|_| Error::UnknownEvent)).transpose()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_stream_ends_when_it_is_time_to_ask_again() {
        let (longest, begin) = (Duration::from_millis(20), std::time::Instant::now());
        let endless = stream::repeat(()).then(|()| tokio::task::yield_now());
        assert!(for_a_while(endless, longest).count().await > 0);
        assert!(begin.elapsed() >= longest);
    }
}
