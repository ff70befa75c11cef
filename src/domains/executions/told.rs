//! What becomes of executions, as events: `execution.started`, `.waiting`, `.resumed`, `.succeeded`, `.failed`, `.canceled`,
//! `.crashed`. They go into the transaction that makes them true.

use super::dto::ExecutionResponse;
use super::executor::Executor;
use super::model::Status;
use super::repository::Row;
use crate::common::Timestamp;
use crate::infrastructure::database::{self, Transaction};
use crate::infrastructure::events::{Emitted, Event};

/// Tells that an execution is now as this row says. `is_new`: nothing was told of it before.
pub(super) fn of_row(row: &Row, is_new: bool, now: Timestamp) -> Vec<Event> {
    let kind = match row.status {
        Status::New | Status::Unknown => return Vec::new(),
        Status::Running if row.attempt > 1 => "execution.resumed",
        Status::Running => "execution.started",
        Status::Waiting => "execution.waiting",
        Status::Success => "execution.succeeded",
        Status::Error => "execution.failed",
        Status::Canceled => "execution.canceled",
        Status::Crashed => "execution.crashed",
    };
    let mut events = Vec::new();
    if is_new && row.status != Status::Running {
        let begun = Row { status: Status::Running, stopped_at: None, last_node: None, error: None, ..row.clone() };
        events.push(event("execution.started", begun, row.started_at.unwrap_or(now)));
    }
    events.push(event(kind, row.clone(), row.stopped_at.unwrap_or(now)));
    events
}

fn event(kind: &'static str, row: Row, at: Timestamp) -> Event {
    let tenant = row.tenant_id;
    let data = serde_json::to_value(ExecutionResponse::from_row(row)).unwrap_or_default();
    Event { tenant, kind, at, data }
}

impl Executor {
    /// Tells of an execution that was known before, in the transaction that changes it.
    pub(super) async fn tell(&self, transaction: &Transaction, row: &Row) -> Result<Emitted, database::Error> {
        if !self.0.events.is_attended(row.tenant_id) {
            return Ok(Emitted::default());
        }
        self.0.events.emit(transaction, of_row(row, false, self.0.clock.now())).await
    }
}
