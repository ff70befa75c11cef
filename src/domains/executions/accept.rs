//! Accepting executions within somebody else's transaction: what decides that an execution is to be (a schedule that is
//! due) and the execution itself stand or fall together. Decides nothing itself.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt;
use millrace_model::Value;

use super::attempt::Attempt;
use super::error::Error;
use super::executor::{Executor, Launch};
use super::input;
use super::model::{Mode, Status};
use super::programs::Program;
use super::repository::{self as rows, Payload, Row};
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::database::{self, Transaction};

/// Messages on their way to the queue at once.
const ANNOUNCED_AT_ONCE: usize = 64;

/// An execution that is ready to be stored. Its id is known before.
#[derive(Debug)]
pub struct Prepared {
    row: Row,
    payload: Payload,
}

impl Prepared {
    pub fn id(&self) -> ExecutionId {
        self.row.id
    }
}

impl Launch {
    /// A production run as one over the API begins it: at the trigger that bears the event's name, else at the
    /// workflow's first, with the input (an object or a list of objects) as its items.
    pub fn of_input(program: Arc<Program>, event: Option<&str>, input: Option<Value>) -> Result<Launch, Error> {
        let start = input::start(&program, event, input)?;
        Ok(Launch {
            program,
            mode: Mode::Trigger,
            node: start.node,
            items: Arc::new(start.items),
            output: 0,
            honour_pins: false,
            parent: None,
            retry_of: None,
        })
    }
}

impl Executor {
    /// Makes an execution that any worker can take up once it is stored. Refused where the tenant may not begin one.
    pub async fn prepare(&self, launch: Launch) -> Result<Prepared, Error> {
        // Who takes it up asks again.
        let admission = self.admit(launch.program.tenant, launch.mode).await?;
        let attempt: Attempt = self.attempt(ExecutionId::new(), launch, 0, &admission.profile);
        attempt.binaries.keep().await?;
        let payload = attempt.payload(None, true)?;
        let row = Row { status: Status::New, attempt: 0, owner: None, started_at: None, ..attempt.row };
        Ok(Prepared { row, payload })
    }

    /// Stores them in the caller's transaction. After its commit they have to be [announced](Executor::announce); where
    /// that does not happen the workers find them by themselves, a little later.
    pub async fn store_within(&self, transaction: &Transaction, prepared: &[Prepared]) -> Result<(), database::Error> {
        let whole = prepared.iter().map(|execution| (execution.row.clone(), execution.payload.clone()));
        rows::upsert_whole(transaction, whole.collect()).await.map(drop)
    }

    /// Tells the workers of stored executions, beside everything else: the queue confirms each message.
    pub fn announce(&self, prepared: Vec<Prepared>) {
        if prepared.is_empty() {
            return;
        }
        let executor = self.clone();
        self.0.runtime.spawn(async move {
            let all = futures_util::stream::iter(&prepared);
            all.for_each_concurrent(ANNOUNCED_AT_ONCE, |execution| executor.enqueue(&execution.row)).await;
        });
    }

    /// Where these executions of a tenant stand. One that is not there has been deleted, or was not to be kept.
    pub async fn statuses(
        &self,
        tenant: TenantId,
        ids: impl IntoIterator<Item = ExecutionId>,
    ) -> Result<HashMap<ExecutionId, Status>, database::Error> {
        rows::statuses(&self.0.database.read(tenant), tenant, ids).await
    }
}
