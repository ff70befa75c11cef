//! Connect sessions: somebody who is no user here connects an account on a hosted page. The token in the page's address is
//! all they have; it works for half an hour, and once.

use std::time::Duration;

use serde_json::{Map, Value};

use super::dto::{CreateConnectSession, CreateCredential, CreatedSessionResponse, SessionResponse};
use super::error::Error;
use super::events::Event;
use super::model::{Fields, SessionStatus, Status};
use super::oauth::{FLOW_LIFE, Started};
use super::registry::{self, CredentialType, FieldKind};
use super::repository::{self as rows, sessions};
use super::service::{Service, kind_of, unknown_kind};
use super::vault::Sealed;
use crate::common::{Coded, ConnectSessionId, Ctx, Secret, TenantId};
use crate::domains::audit::Change;
use crate::infrastructure::crypto::{TokenHash, random_token};
use crate::infrastructure::database::{AcrossTenants, Transaction};

/// How long an invitation holds.
const LIFE: Duration = Duration::from_secs(1800);
const PREFIX: &str = "mrc_";
/// How long somebody may be away at the authorisation server: the life of the way back, and time to take what it brings.
const AWAY: Duration = FLOW_LIFE.saturating_add(Duration::from_secs(60));

/// What the hosted page has to show.
#[derive(Debug)]
pub(super) enum Invitation {
    /// The fields to be filled in.
    Enter { name: String, kind: &'static CredentialType, given: Vec<String> },
    /// An account to be connected elsewhere.
    Consent { name: String, kind: &'static CredentialType },
}

/// What came of a filled-in page.
pub(super) enum Accepted {
    Connected,
    /// On to the authorisation server.
    Consent(Started),
}

impl Service {
    /// Makes an invitation. Its token is in the answer and nowhere else.
    pub async fn invite(&self, ctx: &Ctx, new: CreateConnectSession) -> Result<CreatedSessionResponse, Error> {
        let kind = registry::find(&new.kind).ok_or_else(|| unknown_kind(&new.kind))?;
        let mut problems = registry::check(kind, &new.data.expose().0);
        let consent = kind.asks_a_person(&new.data.expose().complete(kind));
        // What is missing yet is for the other side to fill in.
        problems.retain(|problem| problem.code != "missing_field" || consent);
        let allowed_hosts = super::service::allowed_hosts(new.allowed_hosts, new.data.expose(), &mut problems);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let (id, token, now) = (ConnectSessionId::new(), random_token(PREFIX)?, self.clock.now());
        let plain = Secret::new(serde_json::to_vec(&new.data.expose().0).unwrap_or_default());
        let sealer = self.vault.sealer(ctx.tenant).await?;
        let row = sessions::Session {
            id,
            tenant_id: ctx.tenant,
            token_hash: TokenHash::of(token.expose()).as_bytes().to_vec(),
            kind: kind.name.clone(),
            name: new.name.unwrap_or_else(|| kind.display_name.clone()),
            end_user: new.end_user,
            allowed_hosts,
            key_version: sealer.version,
            sealed: sealer.seal(&session_name(id), plain.expose())?,
            status: SessionStatus::Pending,
            problem: None,
            credential_id: None,
            created_at: now,
            created_by: ctx.actor.user(),
            expires_at: now.plus(LIFE),
            started_at: None,
        };
        let response = self.session_response(&row);
        let transaction = self.database.begin(ctx).await?;
        sessions::insert(&transaction, row).await?;
        self.audit.record(&transaction, ctx, Change::new("connectSession.create", id).after(&response)).await?;
        transaction.commit().await?;
        let url = format!("{}/connect/{}", self.public_url, token.expose());
        Ok(CreatedSessionResponse { session: response, token: token.expose().clone(), url })
    }

    /// How an invitation stands.
    pub async fn session(&self, ctx: &Ctx, id: ConnectSessionId) -> Result<SessionResponse, Error> {
        let row = sessions::find(&self.database.read(ctx), ctx.tenant, id).await?.ok_or(Error::SessionNotFound)?;
        Ok(self.session_response(&row))
    }

    /// What the page of this token shows.
    pub(super) async fn invitation(&self, token: &str) -> Result<Invitation, Error> {
        let row = self.open_session(token).await?;
        let kind = kind_of(&row.kind)?;
        if is_consent(kind, &self.given_fields(&row).await?) {
            return Ok(Invitation::Consent { name: row.name, kind });
        }
        let given = self.given_fields(&row).await?.expose().0.keys().cloned().collect();
        Ok(Invitation::Enter { name: row.name, kind, given })
    }

    /// Takes what was filled in. The first who does uses the invitation up, in one step with the credential that comes of
    /// it; what is refused as invalid does not.
    pub(super) async fn accept(&self, token: &str, entered: Vec<(String, String)>) -> Result<Accepted, Error> {
        let row = self.open_session(token).await?;
        let kind = kind_of(&row.kind)?;
        let given = self.given_fields(&row).await?;
        let ctx = Ctx::system(row.tenant_id);
        let consent = is_consent(kind, &given);
        let mut fields = if consent { Map::new() } else { typed(kind, entered) };
        // The inviting side's fields are not for the other side to change.
        fields.extend(given.expose().0.clone());
        let fields = Fields(fields);
        let problems = registry::check(kind, &fields.0);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let new = CreateCredential {
            id: None,
            name: row.name.clone(),
            kind: row.kind.clone(),
            data: Secret::new(fields),
            allowed_hosts: super::dto::list(row.allowed_hosts.as_deref()),
        };
        let (credential, _) = self.prepared(&ctx, new).await?;
        let (status, started_at) = match consent {
            true => (SessionStatus::Started, Some(self.clock.now())),
            false => (SessionStatus::Connected, None),
        };
        let next = sessions::Session { status, started_at, credential_id: Some(credential.id), ..row.clone() };
        let transaction = self.database.begin(&ctx).await?;
        self.advance(&transaction, &row, &next).await?;
        self.insert_within(&transaction, &ctx, &credential).await?;
        transaction.commit().await?;
        if consent {
            let begun = self.begin_flow(&ctx, &credential, Some(row.id)).await;
            if let Err(error) = &begun {
                self.fail_session(&next, error).await?;
            }
            return begun.map(Accepted::Consent);
        }
        self.announce(row.tenant_id, Event::SessionConnected { session: row.id, credential: credential.id }).await;
        Ok(Accepted::Connected)
    }

    /// The way to the authorisation server and back is over.
    pub(super) async fn session_ended(
        &self,
        tenant: TenantId,
        id: ConnectSessionId,
        error: Option<&Error>,
    ) -> Result<(), Error> {
        let Some(row) = sessions::find(&self.database.read(tenant), tenant, id).await? else { return Ok(()) };
        let Some(credential) = row.credential_id else { return Ok(()) };
        if let Some(error) = error {
            return self.fail_session(&row, error).await;
        }
        let transaction = self.database.begin(tenant).await?;
        let next = sessions::Session { status: SessionStatus::Connected, ..row.clone() };
        self.advance(&transaction, &row, &next).await?;
        transaction.commit().await?;
        self.announce(tenant, Event::SessionConnected { session: id, credential }).await;
        Ok(())
    }

    /// Ends the sessions of those who left for an authorisation server and did not come back.
    pub async fn give_up_sessions(&self) -> Result<(), Error> {
        let before = self.clock.now().minus(AWAY);
        for row in sessions::left_before(&self.database.read(AcrossTenants), before).await? {
            match self.fail_session(&row, &Error::StateExpired).await {
                // They came back after all, or another process was faster.
                Ok(()) | Err(Error::SessionUsed) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// It ends in failure, and the credential that was made for it and will never be connected ends with it.
    async fn fail_session(&self, row: &sessions::Session, error: &Error) -> Result<(), Error> {
        let (tenant, reason) = (row.tenant_id, error.code().code.to_owned());
        let ctx = Ctx::system(tenant);
        let made = match row.credential_id {
            Some(id) => rows::find(&self.database.read(tenant), tenant, &id.to_string()).await?,
            None => None,
        };
        // A member may have connected it meanwhile, and use it.
        let orphan = made.filter(|credential| credential.status == Status::NotConnected);
        let (status, problem) = (SessionStatus::Failed, Some(reason.clone()));
        let next = sessions::Session { status, problem, credential_id: None, ..row.clone() };
        let transaction = self.database.begin(&ctx).await?;
        self.advance(&transaction, row, &next).await?;
        if let Some(orphan) = orphan {
            self.delete_within(&transaction, &ctx, &orphan).await?;
        }
        transaction.commit().await?;
        self.announce(tenant, Event::SessionFailed { session: row.id, reason }).await;
        Ok(())
    }

    /// Removes flows and sessions that ended a day ago.
    pub async fn prune(&self) -> Result<(), Error> {
        self.give_up_sessions().await?;
        let before = self.clock.now().minus(Duration::from_secs(86_400));
        let connection = &self.database.write(AcrossTenants);
        rows::flows::prune(connection, before).await?;
        Ok(sessions::prune(connection, before).await?)
    }

    async fn open_session(&self, token: &str) -> Result<sessions::Session, Error> {
        let hash = TokenHash::of(token);
        let row = sessions::with_token(&self.database.read(AcrossTenants), hash.as_bytes()).await?;
        let row = row.ok_or(Error::SessionNotFound)?;
        match row.status {
            SessionStatus::Pending if row.expires_at > self.clock.now() => Ok(row),
            SessionStatus::Pending => Err(Error::SessionExpired),
            _ => Err(Error::SessionUsed),
        }
    }

    /// The fields the inviting side gave.
    async fn given_fields(&self, row: &sessions::Session) -> Result<Secret<Fields>, Error> {
        let place = session_name(row.id);
        let sealed = Sealed { tenant: row.tenant_id, row: &place, version: row.key_version, bytes: &row.sealed };
        let plain = self.vault.open(&sealed).await?;
        serde_json::from_slice(plain.expose()).map(Secret::new).map_err(|_| Error::Damaged)
    }

    /// Moves a session on, in the caller's transaction.
    async fn advance(
        &self,
        transaction: &Transaction,
        row: &sessions::Session,
        next: &sessions::Session,
    ) -> Result<(), Error> {
        let action = match next.status {
            SessionStatus::Connected => "connectSession.connect",
            SessionStatus::Failed => "connectSession.fail",
            _ => "connectSession.start",
        };
        if !sessions::advance(transaction, row.status, next).await? {
            return Err(Error::SessionUsed);
        }
        let change = Change::new(action, row.id).after(&self.session_response(next));
        Ok(self.audit.record(transaction, &Ctx::system(row.tenant_id), change).await?)
    }

    /// As it stands at this moment, whoever has noted it yet.
    fn session_response(&self, row: &sessions::Session) -> SessionResponse {
        let now = self.clock.now();
        let is_left = row.status == SessionStatus::Started && row.started_at.is_none_or(|at| at.plus(AWAY) <= now);
        let (status, problem, credential_id) = match row.status {
            SessionStatus::Pending if row.expires_at <= now => (SessionStatus::Expired, None, None),
            _ if is_left => (SessionStatus::Failed, Some(Error::StateExpired.code().code.to_owned()), None),
            status => (status, row.problem.clone(), row.credential_id),
        };
        SessionResponse {
            id: row.id,
            kind: row.kind.clone(),
            name: row.name.clone(),
            end_user: row.end_user.clone(),
            status,
            problem,
            credential_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

fn session_name(id: ConnectSessionId) -> String {
    format!("connect-session|{id}")
}

/// Is it for a person to consent, rather than to enter fields?
fn is_consent(kind: &CredentialType, given: &Secret<Fields>) -> bool {
    kind.asks_a_person(&given.expose().complete(kind))
}

/// What a form sends is text; fields that are not text are read from it.
fn typed(kind: &CredentialType, entered: Vec<(String, String)>) -> Map<String, Value> {
    let value = |(name, text): (String, String)| {
        let value = match kind.field(&name).map(|field| field.kind) {
            Some(FieldKind::Boolean) => Value::Bool(matches!(text.as_str(), "true" | "on" | "1")),
            _ => Value::from(text),
        };
        (name, value)
    };
    // Forms carry more than was asked for: the names of buttons, what extensions add.
    let asked = |name: &str| kind.field(name).is_some_and(|field| !field.hidden);
    entered.into_iter().filter(|(name, text)| asked(name) && !text.is_empty()).map(value).collect()
}
