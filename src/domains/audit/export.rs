//! The log as a file: JSON lines or CSV, read and written a batch at a time, so that a long log needs no memory.

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::json;

use super::dto::{AuditEventResponse, ExportAuditEventsQuery, ExportFormat};
use super::entities::audit_event;
use super::error::Error;
use super::repository;
use super::service::{Change, Service};
use crate::common::Ctx;

/// Rows read at a time.
const BATCH: u64 = 500;

const COLUMNS: [&str; 13] = [
    "sequence",
    "id",
    "occurredAt",
    "actorKind",
    "userId",
    "apiKeyId",
    "action",
    "resourceKind",
    "resourceId",
    "before",
    "after",
    "address",
    "requestId",
];

impl Service {
    /// The tenant's log in the order it was written. That somebody took it is recorded before the first byte.
    pub async fn export(
        &self,
        ctx: &Ctx,
        query: ExportAuditEventsQuery,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + use<>, Error> {
        let wanted = json!({ "from": query.from, "until": query.until });
        self.note(ctx, Change::new("audit.export", ctx.tenant).after(&wanted)).await?;
        let (service, tenant) = (self.clone(), ctx.tenant);
        Ok(stream::try_unfold(Some(0), move |after| {
            let service = service.clone();
            async move {
                let Some(after) = after else { return Ok(None) };
                let connection = service.database.read(tenant);
                let rows = repository::export(&connection, tenant, (query.from, query.until), after, BATCH).await?;
                let is_full = u64::try_from(rows.len()).is_ok_and(|count| count == BATCH);
                let next = rows.last().map(|row| row.sequence).filter(|_| is_full);
                Ok(Some((written(rows, query.format, after == 0)?, next)))
            }
        }))
    }
}

impl Service {
    /// Some of the log as JSON lines, after this row; and the last row's number, where there may be more.
    pub async fn lines(&self, ctx: &Ctx, after: i64) -> Result<(Bytes, Option<i64>), Error> {
        let rows = repository::rows_after(&self.database.read(ctx), ctx.tenant, after, BATCH).await?;
        let is_full = u64::try_from(rows.len()).is_ok_and(|count| count == BATCH);
        let next = rows.last().map(|row| row.sequence).filter(|_| is_full);
        Ok((written(rows, ExportFormat::Jsonl, false)?, next))
    }
}

fn written(rows: Vec<audit_event::Model>, format: ExportFormat, is_first: bool) -> Result<Bytes, Error> {
    let mut bytes = Vec::new();
    match format {
        ExportFormat::Jsonl => {
            for row in rows {
                serde_json::to_writer(&mut bytes, &AuditEventResponse::from(row)).map_err(|_| Error::Unwritable)?;
                bytes.push(b'\n');
            }
        }
        ExportFormat::Csv => {
            let mut lines = csv::Writer::from_writer(&mut bytes);
            if is_first {
                lines.write_record(COLUMNS).map_err(|_| Error::Unwritable)?;
            }
            for row in rows {
                lines.write_record(cells(row)).map_err(|_| Error::Unwritable)?;
            }
            lines.flush().map_err(|_| Error::Unwritable)?;
        }
    }
    Ok(bytes.into())
}

fn cells(row: audit_event::Model) -> [String; COLUMNS.len()] {
    [
        row.sequence.to_string(),
        row.id.to_string(),
        row.occurred_at.to_string(),
        row.actor_kind,
        row.user_id.map(|id| id.to_string()).unwrap_or_default(),
        row.api_key_id.map(|id| id.to_string()).unwrap_or_default(),
        row.action,
        row.resource_kind,
        row.resource_id,
        row.before.unwrap_or_default(),
        row.after.unwrap_or_default(),
        row.address.unwrap_or_default(),
        row.request_id,
    ]
    .map(plain)
}

/// Spreadsheets take a cell that begins so for a formula; an apostrophe makes it text.
fn plain(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn cells_are_no_formulas() {
        for (cell, expected) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("-1", "'-1"), ("a=1", "a=1"), ("", "")] {
            assert_eq!(plain(cell.to_owned()), expected);
        }
    }
}
