//! Invitations: a mail with a token that makes its reader a member, once, for a while, unless it is taken back.

use std::time::Duration;

use super::dto::{AcceptInvitation, AcceptedInvitationResponse, CreateInvitation, InvitationResponse, InvitedResponse};
use super::entities::invitation;
use super::error::Error;
use super::model::{Email, Grant, User};
use super::repository;
use super::service::{NewUser, Service};
use crate::common::{Actor, Ctx, InvitationId, Page, PageQuery, Secret};
use crate::domains::audit::Change;
use crate::infrastructure::crypto::{self, TokenHash};
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::mail::{self, Message};
use crate::infrastructure::web::Visitor;

/// An invitation can be accepted for so long.
const LIFE: Duration = Duration::from_secs(7 * 86_400);
/// Tokens begin with this, so that secret scanners can find them.
const PREFIX: &str = "mri_";
const MAX_PASSWORD_LENGTH: usize = 1024;

impl Service {
    /// Invites somebody to the caller's tenant, whether or not they have an account.
    pub async fn invite(&self, ctx: &Ctx, new: CreateInvitation) -> Result<InvitedResponse, Error> {
        let email = Email::new(&new.email);
        let token = crypto::random_token(PREFIX)?;
        let now = self.clock.now();
        let transaction = self.database.begin(ctx).await?;
        let role = new.role.unwrap_or(super::model::Role::Viewer);
        self.role_to_give(&transaction, ctx, role, new.custom_role_id).await?;
        if let Some(user) = repository::find_by_email(&transaction, &email).await?
            && repository::find_membership(&transaction, ctx.tenant, user.id).await?.is_some()
        {
            return Err(Error::AlreadyMember);
        }
        // The newest invitation counts: an older one to the same address is taken back.
        repository::delete_open_invitations(&transaction, ctx.tenant, &email).await?;
        let row = invitation::Model {
            id: InvitationId::new(),
            tenant_id: ctx.tenant,
            email: email.as_str().to_owned(),
            role,
            role_id: new.custom_role_id,
            token_hash: TokenHash::of(token.expose()).as_bytes().to_vec(),
            invited_by: ctx.actor.user(),
            created_at: now,
            expires_at: now.plus(LIFE),
            accepted_at: None,
        };
        repository::insert_invitation(&transaction, row.clone()).await?;
        let invitation = InvitationResponse::from(row);
        let change = Change::new("invitation.create", invitation.id).after(&invitation);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        let link = format!("{}/invitations/accept#token={}", self.public_url, token.expose());
        let tenant = self.tenants.get(ctx).await?.name;
        let text = format!(
            "You are invited to {tenant} on Millrace.\n\nAccept within 7 days:\n{link}\n\nOr give this token to \
             POST /api/v1/invitations/accept: {}\n\nIf you do not know {tenant}, ignore this mail.\n",
            token.expose()
        );
        let message = Message::new(email.as_str(), format!("Invitation to {tenant}"), text);
        mail::send_in_background(self.mailer.clone(), message);
        // Without mail somebody has to carry the token; with mail only its reader may have it.
        let token = (!self.mailer.is_configured()).then(|| token.expose().clone());
        Ok(InvitedResponse { invitation, token })
    }

    /// Invitations of the caller's tenant, newest first.
    pub async fn invitations(&self, ctx: &Ctx, query: &PageQuery) -> Result<Page<InvitationResponse>, Error> {
        let rows = repository::list_invitations(&self.database.read(ctx), ctx.tenant, query).await?;
        Ok(Page::from_rows(rows, query.limit(), |row| row.id.as_uuid(), InvitationResponse::from))
    }

    /// Takes an invitation back.
    pub async fn revoke_invitation(&self, ctx: &Ctx, id: InvitationId) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        let found = repository::find_invitation(&transaction, ctx.tenant, id).await?;
        let row = found.filter(|row| row.accepted_at.is_none()).ok_or(Error::InvitationNotFound)?;
        repository::delete_invitation(&transaction, ctx.tenant, id).await?;
        let before = InvitationResponse::from(row);
        self.audit.record(&transaction, ctx, Change::new("invitation.delete", id).before(&before)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes the holder of a token a member: with the account of the invited address, which is made where there is none.
    ///
    /// An account whose address nobody has verified may be a stranger's who wrote down somebody else's address. The token shows
    /// that the address is its holder's: so the account is theirs from now on, by its own password or by a new one, which ends
    /// every login there is.
    pub async fn accept_invitation(
        &self,
        visitor: &Visitor,
        acceptance: AcceptInvitation,
    ) -> Result<AcceptedInvitationResponse, Error> {
        let hash = TokenHash::of(acceptance.token.expose());
        let connection = self.database.read(AcrossTenants);
        let found = repository::find_invitation_by_token(&connection, &hash).await?;
        let open = found.filter(|row| row.accepted_at.is_none() && row.expires_at > self.clock.now());
        let invitation = open.ok_or(Error::InvitationNotFound)?;
        let email = Email::new(&invitation.email);
        let known = repository::find_by_email(&connection, &email).await?;
        // Hashed before the transaction begins: it takes longer than everything else together.
        let (mut new, mut taken_over) = (None, None);
        match &known {
            Some(user) if user.email_verified_at.is_some() => {}
            Some(user) => taken_over = self.new_password(user, acceptance.password).await?,
            None => new = Some(self.new_account(email, acceptance).await?),
        }
        let transaction = self.database.begin(AcrossTenants).await?;
        let mut ended = Vec::new();
        if let Some(user) = &known {
            if let Some(hash) = taken_over {
                self.set_password_hash(&transaction, user.id, hash).await?;
                if let Some(logins) = self.logins.get() {
                    ended = logins.end_all(&transaction, user.id).await?;
                }
            }
            self.verify_email(&transaction, user.id, self.clock.now()).await?;
        }
        transaction.enter(invitation.tenant_id).await?;
        if !repository::use_invitation(&transaction, &invitation, self.clock.now()).await? {
            return Err(Error::InvitationNotFound);
        }
        let (user, is_new) = match (known, new) {
            (Some(user), _) => (user, false),
            (None, Some(new)) => {
                let user = self.create(&transaction, new).await?;
                self.verify_email(&transaction, user.id, self.clock.now()).await?;
                (user, true)
            }
            (None, None) => return Err(Error::InvitationNotFound),
        };
        self.admit_invited(&transaction, visitor, &invitation, &user).await?;
        transaction.commit().await?;
        if let Some(logins) = self.logins.get() {
            logins.forget(&ended);
        }
        let ctx = Ctx::system(invitation.tenant_id);
        let tenant = self.tenants.get(&ctx).await?;
        Ok(AcceptedInvitationResponse {
            tenant: tenant.slug,
            email: user.email.as_str().to_owned(),
            is_new_account: is_new,
        })
    }

    async fn admit_invited(
        &self,
        transaction: &Transaction,
        visitor: &Visitor,
        invitation: &invitation::Model,
        user: &User,
    ) -> Result<(), Error> {
        if repository::find_membership(transaction, invitation.tenant_id, user.id).await?.is_some() {
            return Err(Error::AlreadyMember);
        }
        let ctx = Ctx {
            actor: Actor::User(user.id),
            request_id: visitor.request_id.clone(),
            address: visitor.address,
            ..Ctx::system(invitation.tenant_id)
        };
        let grant = Grant { role: invitation.role, custom: invitation.role_id };
        self.join_with(transaction, &ctx, user, grant).await?;
        let change = Change::new("invitation.accept", invitation.id);
        Ok(self.audit.record(transaction, &ctx, change).await?)
    }

    /// The hash of a new password for the account; None where it is the account's own.
    async fn new_password(&self, user: &User, password: Option<Secret<String>>) -> Result<Option<String>, Error> {
        let password = self.fit(password)?;
        if self.passwords.verify(password.clone(), Some(user.password_hash.clone())).await? {
            return Ok(None);
        }
        Ok(Some(self.passwords.hash(password).await?))
    }

    /// A password that may be set.
    fn fit(&self, password: Option<Secret<String>>) -> Result<Secret<String>, Error> {
        let (minimum, maximum) = (self.password_min_length, MAX_PASSWORD_LENGTH);
        let fit = password.filter(|password| (minimum..=maximum).contains(&password.expose().chars().count()));
        fit.ok_or(Error::PasswordLength { minimum, maximum })
    }

    async fn new_account(&self, email: Email, acceptance: AcceptInvitation) -> Result<NewUser, Error> {
        let password = self.fit(acceptance.password)?;
        let name = acceptance.name.unwrap_or_else(|| email.as_str().to_owned());
        let password_hash = self.passwords.hash(password).await?;
        Ok(NewUser { email, name, password_hash })
    }
}
