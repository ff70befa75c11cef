//! What the log can be proved by: checkpoints signed as it grows, the search for the first broken row, and retention that
//! leaves a checkpoint where it cuts.

use rustc_hash::FxHashMap;
use serde_json::json;

use super::chain;
use super::dto::{BrokenRow, CheckpointResponse, Defect, VerificationResponse, hexadecimal};
use super::entities::{audit_checkpoint, audit_event};
use super::error::Error;
use super::repository;
use super::service::{Change, Service};
use crate::common::{AuditCheckpointId, Ctx, TenantId, Timestamp};
use crate::infrastructure::database::{self, AcrossTenants, Transaction};

/// A checkpoint is signed at the latest after so many rows.
pub(super) const CHECKPOINT_EVERY: i64 = 100;
/// Rows read at a time.
const BATCH: u64 = 500;

impl Service {
    /// Reads the whole log of the caller's tenant and names the first row that is not as it was written.
    pub async fn verify(&self, ctx: &Ctx) -> Result<VerificationResponse, Error> {
        let connection = self.database.read(ctx);
        // The head first: what is added meanwhile is read, too, and comes after it.
        let head = repository::head(&connection, ctx.tenant).await?;
        let checkpoints = repository::checkpoints(&connection, ctx.tenant).await?;
        let mut walk = Walk::begin(self, &checkpoints);
        while walk.broken.is_none() {
            let rows = repository::rows_after(&connection, ctx.tenant, walk.last, BATCH).await?;
            if rows.is_empty() {
                break;
            }
            rows.iter().for_each(|row| walk.step(self, row));
        }
        // A tenant begins with a row about itself: a log without anything is one that was taken away.
        let written = checkpoints.last().map_or(1, |last| last.sequence).max(head.map_or(1, |head| head.sequence));
        if walk.broken.is_none() && walk.last < written {
            walk.broken = Some(BrokenRow::new(walk.last + 1, None, Defect::Truncated));
        }
        Ok(VerificationResponse {
            intact: walk.broken.is_none(),
            verified_rows: walk.rows,
            last_sequence: walk.last,
            broken: walk.broken,
            last_checkpoint: checkpoints.last().map(CheckpointResponse::from),
        })
    }

    /// Signs a checkpoint for every tenant whose log has grown since the last one; says how many.
    pub async fn checkpoint_all(&self) -> Result<u64, Error> {
        let mut signed = 0;
        for tenant in repository::without_checkpoint(&self.database.read(AcrossTenants)).await? {
            let transaction = self.database.begin(tenant).await?;
            if let Some(head) = repository::lock_head(&transaction, tenant).await?
                && head.checkpointed < head.sequence
            {
                self.sign(&transaction, tenant, head.sequence, head.mac).await?;
                signed += 1;
            }
            transaction.commit().await?;
        }
        Ok(signed)
    }

    /// Deletes the tenant's rows from before this time. A signed checkpoint stays where the log now begins, and the
    /// deletion itself is a row. Says how many rows went.
    pub async fn prune(&self, tenant: TenantId, before: Timestamp) -> Result<u64, Error> {
        let transaction = self.database.begin(tenant).await?;
        repository::lock_head(&transaction, tenant).await?;
        let Some(last) = repository::last_before(&transaction, tenant, before).await? else { return Ok(0) };
        if repository::checkpoint_at(&transaction, tenant, last.sequence).await?.is_none() {
            self.sign(&transaction, tenant, last.sequence, last.mac.clone()).await?;
        }
        self.sign_pruning(&transaction, tenant, last.sequence, &last.mac).await?;
        let deleted = repository::delete_through(&transaction, tenant, last.sequence).await?;
        let change = Change::new("audit.prune", tenant).before(&json!({ "throughSequence": last.sequence }));
        self.record(&transaction, &Ctx::system(tenant), change).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    /// Deletes everything about a tenant that is gone, in the caller's transaction.
    pub async fn erase(&self, transaction: &Transaction, tenant: TenantId) -> Result<(), database::Error> {
        let Some(head) = repository::lock_head(transaction, tenant).await? else { return Ok(()) };
        if head.checkpointed < head.sequence {
            self.sign(transaction, tenant, head.sequence, head.mac.clone()).await?;
        }
        self.sign_pruning(transaction, tenant, head.sequence, &head.mac).await?;
        repository::delete_through(transaction, tenant, head.sequence).await?;
        repository::delete_evidence(transaction, tenant).await
    }

    /// Signs that the log has this MAC at this row. The line in the server's log is an anchor outside the database.
    pub(super) async fn sign(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        sequence: i64,
        mac: Vec<u8>,
    ) -> Result<(), database::Error> {
        let created_at = self.clock.now();
        let message = chain::checkpoint_message(tenant, sequence, &mac, created_at);
        let signature = self.signing_key.sign(&message);
        let id = AuditCheckpointId::new();
        let (tenant_id, key_id) = (tenant, self.signing_key.id());
        let row = audit_checkpoint::Model {
            id,
            tenant_id,
            sequence,
            mac,
            created_at,
            key_id,
            signature,
            pruned_at: None,
            pruning_signature: None,
        };
        let CheckpointResponse { key_id, mac, signature, .. } = CheckpointResponse::from(&row);
        transaction.after_commit(move || {
            let at = created_at.as_millis();
            tracing::info!(%tenant, sequence, mac, signature, key_id, at, "audit checkpoint");
        });
        repository::insert_checkpoint(transaction, row).await
    }

    /// Signs that the rows up to this checkpoint are deleted by this server.
    async fn sign_pruning(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        sequence: i64,
        mac: &[u8],
    ) -> Result<(), database::Error> {
        let now = self.clock.now();
        let signature = self.signing_key.sign(&chain::pruning_message(tenant, sequence, mac, now));
        let (signed, at) = (hexadecimal(&signature), now.as_millis());
        transaction.after_commit(move || {
            tracing::info!(%tenant, sequence, signature = signed, at, "audit log pruned");
        });
        repository::mark_pruned(transaction, tenant, sequence, now, signature).await
    }

    fn is_signed(&self, checkpoint: &audit_checkpoint::Model) -> bool {
        let audit_checkpoint::Model { tenant_id, sequence, mac, created_at, .. } = checkpoint;
        let message = chain::checkpoint_message(*tenant_id, *sequence, mac, *created_at);
        self.signing_key.verify(&message, &checkpoint.signature)
    }

    /// Where it is marked as pruned: did this server do so?
    fn is_pruning_signed(&self, checkpoint: &audit_checkpoint::Model) -> bool {
        let audit_checkpoint::Model { tenant_id, sequence, mac, pruned_at, pruning_signature, .. } = checkpoint;
        match (pruned_at, pruning_signature) {
            (None, None) => true,
            (Some(at), Some(signature)) => {
                self.signing_key.verify(&chain::pruning_message(*tenant_id, *sequence, mac, *at), signature)
            }
            _ => false,
        }
    }
}

/// How far the reading has come.
struct Walk<'a> {
    /// MACs that were signed, by row.
    signed: FxHashMap<i64, &'a [u8]>,
    last: i64,
    previous: Vec<u8>,
    rows: u64,
    broken: Option<BrokenRow>,
}

impl<'a> Walk<'a> {
    /// At the first row, or behind the last one that was pruned; broken already where a checkpoint is forged.
    fn begin(service: &Service, checkpoints: &'a [audit_checkpoint::Model]) -> Walk<'a> {
        let signed = checkpoints.iter().map(|checkpoint| (checkpoint.sequence, &*checkpoint.mac)).collect();
        let forged = checkpoints.iter().find(|checkpoint| !service.is_signed(checkpoint));
        let forged = forged.map(|forged| BrokenRow::new(forged.sequence, None, Defect::CheckpointForged));
        let pruned = checkpoints.iter().find(|checkpoint| !service.is_pruning_signed(checkpoint));
        let pruned = pruned.map(|pruned| BrokenRow::new(pruned.sequence, None, Defect::PruningForged));
        let broken = forged.or(pruned);
        let start = checkpoints.iter().rfind(|checkpoint| checkpoint.pruned_at.is_some());
        let (last, previous) = start.map_or((0, Vec::new()), |start| (start.sequence, start.mac.clone()));
        Walk { signed, last, previous, rows: 0, broken }
    }

    fn step(&mut self, service: &Service, row: &audit_event::Model) {
        if self.broken.is_some() {
            return;
        }
        let expected = self.last + 1;
        let defect = if row.sequence != expected {
            Some((expected, Defect::Missing))
        } else if chain::mac(service.chain_key.expose(), &self.previous, row) != row.mac {
            Some((expected, Defect::Changed))
        } else if self.signed.get(&row.sequence).is_some_and(|signed| *signed != row.mac) {
            Some((expected, Defect::CheckpointMismatch))
        } else {
            None
        };
        if let Some((sequence, defect)) = defect {
            let id = (defect != Defect::Missing).then_some(row.id);
            self.broken = Some(BrokenRow::new(sequence, id, defect));
            return;
        }
        self.last = row.sequence;
        self.previous.clone_from(&row.mac);
        self.rows += 1;
    }
}
