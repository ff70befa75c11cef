//! Mail as tests see it: kept instead of sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use millrace::infrastructure::mail::{Error, Mailer, Message};

/// Everything that was mailed, oldest first. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Outbox(Arc<Mutex<Vec<Message>>>);

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, message: &Message) -> Result<(), Error> {
        self.0.lock().unwrap().push(message.clone());
        Ok(())
    }

    fn is_configured(&self) -> bool {
        true
    }
}

impl Outbox {
    /// The mails to an address so far.
    pub(crate) fn to(&self, address: &str) -> Vec<Message> {
        self.0.lock().unwrap().iter().filter(|message| message.to.contains(address)).cloned().collect()
    }

    /// All mails so far, as text.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().iter().map(|mail| format!("{}\n{}\n{}\n", mail.to, mail.subject, mail.text)).collect()
    }

    /// The mail to this address with this number, counted from one; waits for it, as mail goes out beside the answer.
    pub(crate) async fn wait_for(&self, address: &str, number: usize) -> Message {
        let mut tries = 0;
        loop {
            if let Some(message) = self.to(address).get(number - 1) {
                return message.clone();
            }
            tries += 1;
            assert!(tries < 500, "no mail number {number} to {address}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
