//! Watches a mailbox: what is new in it begins an execution.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::listening::{Fault, Listener};
use super::message;
use super::source::Mailbox as Wanted;
use crate::infrastructure::services::Mailbox;

/// A server that does not tell of news is asked so often; and the others, in case they forgot to.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A server that cannot tell is asked so often.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// Messages of one execution.
const BATCH: usize = 20;

/// The last message that began an execution; ids count within a validity only.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Reached {
    validity: u32,
    uid: u32,
}

impl Listener {
    pub(super) async fn watch_mailbox(&mut self, wanted: &Wanted) -> Result<(), Fault> {
        let (reach, credential) = self.credential("imap").await?;
        let mut mailbox = Mailbox::open(&self.triggers.http, &reach, &credential, &wanted.name).await?;
        self.is_well().await?;
        let (opened, longest) = (Instant::now(), Duration::from_secs(wanted.reconnect_minutes.saturating_mul(60)));
        while let Some(left) = longest.checked_sub(opened.elapsed()) {
            self.look(&mut mailbox, wanted).await?;
            mailbox = mailbox.wait(left.min(LOOK_EVERY), ASK_EVERY).await?;
        }
        mailbox.close().await;
        Ok(())
    }

    async fn look(&mut self, mailbox: &mut Mailbox, wanted: &Wanted) -> Result<(), Fault> {
        let state = self.row.state.as_deref().and_then(|state| serde_json::from_str::<Reached>(state).ok());
        let reached = state.filter(|reached| reached.validity == mailbox.validity);
        let mut reached = reached.unwrap_or(Reached { validity: mailbox.validity, uid: 0 });
        let query = match wanted.remembers && reached.uid > 0 {
            true => format!("UID {}:* {}", reached.uid.saturating_add(1), wanted.query),
            false => wanted.query.clone(),
        };
        let mut found = mailbox.search(&query).await?;
        // A range to the last message always has that one in it.
        found.retain(|uid| !wanted.remembers || *uid > reached.uid);
        for uids in found.chunks(BATCH) {
            let mut items = Vec::with_capacity(uids.len());
            for uid in uids {
                if let Some(message) = mailbox.fetch(*uid).await? {
                    items.push(message::item(&message, wanted));
                }
            }
            reached.uid = uids.last().copied().unwrap_or_default().max(reached.uid);
            let heard = if items.is_empty() { Vec::new() } else { vec![items] };
            self.begin(heard, serde_json::to_string(&reached).ok()).await?;
            if wanted.marks_read {
                mailbox.mark_read(uids).await?;
            }
        }
        Ok(())
    }
}
