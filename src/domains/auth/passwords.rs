//! Changing a password one knows, and replacing one that was forgotten.

use std::sync::Arc;

use super::dto::{ChangePassword, ResetPassword};
use super::error::Error;
use super::mails;
use super::model::Purpose;
use super::service::Service;
use super::sessions::person;
use crate::common::error::chain;
use crate::common::{Ctx, Secret};
use crate::domains::users::{Email, User};
use crate::infrastructure::crypto::TokenHash;
use crate::infrastructure::database::AcrossTenants;
use crate::infrastructure::web::Visitor;

impl Service {
    /// Sets another password. The caller's other logins end, in every tenant.
    pub async fn change_password(&self, ctx: &Ctx, visitor: &Visitor, change: ChangePassword) -> Result<(), Error> {
        let account = self.own_account(ctx, visitor, &change.current_password).await?;
        let hash = self.hash_new_password(change.new_password, "/newPassword").await?;
        let transaction = self.database.begin(AcrossTenants).await?;
        self.users.set_password_hash(&transaction, account.id, hash).await?;
        self.cancel_tokens(&transaction, account.id, Purpose::PasswordReset).await?;
        let present = ctx.login.map(|login| login.session);
        let ended = self.end_sessions(&transaction, account.id, |(_, id)| Some(*id) != present).await?;
        self.record_everywhere(&transaction, visitor, account.id, "user.passwordChange").await?;
        transaction.commit().await?;
        self.forget(&ended);
        self.mail(mails::password_changed(&account.email));
        Ok(())
    }

    /// Mails a link to whoever has the address. Done beside the answer: it takes no longer for an address that is known.
    pub fn forgot_password(self: Arc<Self>, visitor: Visitor, email: &str) {
        let email = Email::new(email);
        tokio::spawn(async move {
            if let Err(error) = self.mail_password_reset(&visitor, &email).await {
                tracing::warn!(cause = chain(&error), "a link to reset a password could not be mailed");
            }
        });
    }

    /// Sets a new password for whoever was mailed the token. All their logins end; the address counts as verified.
    pub async fn reset_password(&self, visitor: &Visitor, reset: ResetPassword) -> Result<(), Error> {
        let token = TokenHash::of(reset.token.expose());
        // Looked at first: hashing a password is work that nobody may have without a token.
        self.find_token(&token, Purpose::PasswordReset).await?;
        let hash = self.hash_new_password(reset.password, "/password").await?;
        let transaction = self.database.begin(AcrossTenants).await?;
        let user = self.take_token(&transaction, &token, Purpose::PasswordReset).await?;
        self.users.set_password_hash(&transaction, user, hash).await?;
        self.users.verify_email(&transaction, user, self.clock.now()).await?;
        self.cancel_tokens(&transaction, user, Purpose::PasswordReset).await?;
        self.cancel_tokens(&transaction, user, Purpose::EmailVerification).await?;
        let ended = self.end_sessions(&transaction, user, |_| true).await?;
        self.record_everywhere(&transaction, visitor, user, "user.passwordReset").await?;
        transaction.commit().await?;
        self.forget(&ended);
        if let Some((account, _)) = self.users.find_account(user).await? {
            self.throttle.succeeded(&account.email).await?;
            self.mail(mails::password_changed(&account.email));
        }
        Ok(())
    }

    /// The caller's account, once they have shown that they know its password: a stolen token alone changes no lock.
    pub(super) async fn own_account(
        &self,
        ctx: &Ctx,
        visitor: &Visitor,
        password: &Secret<String>,
    ) -> Result<User, Error> {
        let (account, _) = self.users.find_account(person(ctx)?).await?.ok_or(Error::InvalidToken)?;
        self.throttle.check(&account.email, visitor.address).await?;
        let matches = self.password_matches(password, Some(account.password_hash.clone())).await?;
        let _turn = self.throttle.turn(&account.email).await;
        self.throttle.check(&account.email, visitor.address).await?;
        if !matches {
            self.throttle.failed(&account.email, visitor.address).await?;
            return Err(Error::WrongPassword);
        }
        Ok(account)
    }

    async fn mail_password_reset(&self, visitor: &Visitor, email: &Email) -> Result<(), Error> {
        if !self.throttle.may_be_mailed(email).await? {
            return Ok(());
        }
        let Some((user, _)) = self.users.find_by_email(email).await? else { return Ok(()) };
        let transaction = self.database.begin(AcrossTenants).await?;
        let token = self.new_token(&transaction, user.id, Purpose::PasswordReset).await?;
        self.record_everywhere(&transaction, visitor, user.id, "user.passwordResetRequest").await?;
        transaction.commit().await?;
        self.mail(mails::password_reset(email, &self.public_url, &token, self.config.reset_token_seconds));
        Ok(())
    }
}
