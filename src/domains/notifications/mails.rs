//! Mails about credentials that stopped working: to whoever made them, else to those who run the tenant.

use std::sync::Arc;

use async_trait::async_trait;

use crate::common::TenantId;
use crate::common::error::chain;
use crate::domains::credentials::{Event, Listener};
use crate::domains::users;
use crate::infrastructure::mail::{self, Mailer, Message};

/// The mails of a process. Cheap to clone.
#[derive(Clone)]
pub struct Mails {
    users: users::Service,
    mailer: Arc<dyn Mailer>,
    public_url: Arc<str>,
}

impl Mails {
    pub fn new(users: users::Service, mailer: Arc<dyn Mailer>, public_url: &str) -> Mails {
        Mails { users, mailer, public_url: public_url.into() }
    }
}

#[async_trait]
impl Listener for Mails {
    async fn happened(&self, tenant: TenantId, event: &Event) {
        let Event::RenewalFailed { credential, name, created_by, reason } = event else { return };
        let readers = match self.users.contacts(tenant, *created_by).await {
            Ok(readers) => readers,
            Err(error) => {
                tracing::error!(%tenant, %credential, error = chain(&error), "nobody was told of a lost account");
                return;
            }
        };
        let public_url = &self.public_url;
        for reader in readers {
            let text = format!(
                "The account behind the credential \"{name}\" at {public_url} gives no access any more:\n{reason}\n\n\
                 Workflows that use it fail until somebody connects the account again:\n\
                 POST {public_url}/api/v1/credentials/{credential}/oauth/start\n"
            );
            let subject = format!("Connect \"{name}\" again");
            mail::send_in_background(Arc::clone(&self.mailer), Message::new(reader.as_str(), subject, text));
        }
    }
}
