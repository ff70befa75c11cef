//! Showing that an address is one's own: by following a link that was mailed to it. And the tokens in such links.

use std::sync::Arc;
use std::time::Duration;

use super::entities::one_time_token;
use super::error::Error;
use super::mails;
use super::model::Purpose;
use super::repository;
use super::service::Service;
use crate::common::error::chain;
use crate::common::{Secret, UserId};
use crate::domains::users::Email;
use crate::infrastructure::crypto::{self, TokenHash};
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::web::Visitor;

/// Mailed tokens begin with this.
const PREFIX: &str = "mro_";

impl Service {
    /// Mails the link again to an address that is not verified. Done beside the answer, which is the same for any address.
    pub fn send_verification(self: Arc<Self>, email: &str) {
        let email = Email::new(email);
        tokio::spawn(async move {
            if let Err(error) = self.mail_verification_again(&email).await {
                tracing::warn!(cause = chain(&error), "a link to verify an address could not be mailed");
            }
        });
    }

    /// The address belongs to whoever was mailed the token; from now on its account may sign in.
    pub async fn verify_email(&self, visitor: &Visitor, token: &Secret<String>) -> Result<(), Error> {
        let transaction = self.database.begin(AcrossTenants).await?;
        let token = TokenHash::of(token.expose());
        let user = self.take_token(&transaction, &token, Purpose::EmailVerification).await?;
        self.users.verify_email(&transaction, user, self.clock.now()).await?;
        self.cancel_tokens(&transaction, user, Purpose::EmailVerification).await?;
        self.record_everywhere(&transaction, visitor, user, "user.emailVerify").await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(super) async fn mail_verification(&self, user: Option<UserId>, email: &Email) -> Result<(), Error> {
        let Some(user) = user else { return Ok(()) };
        let transaction = self.database.begin(AcrossTenants).await?;
        let token = self.new_token(&transaction, user, Purpose::EmailVerification).await?;
        transaction.commit().await?;
        self.mail(mails::verification(email, &self.public_url, &token, self.config.verification_token_seconds));
        Ok(())
    }

    pub(super) async fn mail_that_account_exists(&self, email: &Email) -> Result<(), Error> {
        if self.throttle.may_be_mailed(email).await? {
            self.mail(mails::account_exists(email, &self.public_url));
        }
        Ok(())
    }

    async fn mail_verification_again(&self, email: &Email) -> Result<(), Error> {
        if !self.throttle.may_be_mailed(email).await? {
            return Ok(());
        }
        match self.users.find_by_email(email).await? {
            Some((user, _)) if user.email_verified_at.is_none() => self.mail_verification(Some(user.id), email).await,
            _ => Ok(()),
        }
    }

    /// A new token of this purpose; earlier ones of the person work no more.
    pub(super) async fn new_token(
        &self,
        transaction: &Transaction,
        user: UserId,
        purpose: Purpose,
    ) -> Result<Secret<String>, Error> {
        self.cancel_tokens(transaction, user, purpose).await?;
        let token = crypto::random_token(PREFIX)?;
        let life = match purpose {
            Purpose::PasswordReset => self.config.reset_token_seconds,
            Purpose::EmailVerification => self.config.verification_token_seconds,
        };
        let row = one_time_token::Model {
            hash: TokenHash::of(token.expose()).as_bytes().to_vec(),
            purpose,
            user_id: user,
            expires_at: self.clock.now().plus(Duration::from_secs(life)),
        };
        repository::insert_one_time_token(transaction, row).await?;
        Ok(token)
    }

    /// Whose a living token is.
    pub(super) async fn find_token(&self, token: &TokenHash, purpose: Purpose) -> Result<UserId, Error> {
        let row = repository::find_one_time_token(&self.database.read(AcrossTenants), token, purpose).await?;
        let living = row.filter(|row| row.expires_at > self.clock.now());
        Ok(living.ok_or(Error::InvalidLink)?.user_id)
    }

    /// The same, and from now on nobody's: of two who come at the same moment one is refused.
    pub(super) async fn take_token(
        &self,
        transaction: &Transaction,
        token: &TokenHash,
        purpose: Purpose,
    ) -> Result<UserId, Error> {
        let row = repository::find_one_time_token(transaction, token, purpose).await?;
        let living = row.filter(|row| row.expires_at > self.clock.now()).ok_or(Error::InvalidLink)?;
        if !repository::delete_one_time_token(transaction, token).await? {
            return Err(Error::InvalidLink);
        }
        Ok(living.user_id)
    }

    pub(super) async fn cancel_tokens(
        &self,
        transaction: &Transaction,
        user: UserId,
        purpose: Purpose,
    ) -> Result<(), Error> {
        Ok(repository::delete_one_time_tokens(transaction, user, purpose).await?)
    }
}
