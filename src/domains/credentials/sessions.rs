//! Connect sessions: somebody who is no user here connects an account on a hosted page. The token in the page's address is
//! all they have; it works for half an hour, and once.

use std::time::Duration;

use serde_json::{Map, Value};

use super::dto::{CreateConnectSession, CreateCredential, CreatedSessionResponse, SessionResponse};
use super::error::Error;
use super::events::Event;
use super::model::{Fields, SessionStatus};
use super::oauth::Started;
use super::registry::{self, CredentialType, FieldKind};
use super::repository::{self as rows, sessions};
use super::service::{Service, kind_of, unknown_kind};
use super::vault::Sealed;
use crate::common::{Coded, ConnectSessionId, Ctx, Secret, TenantId};
use crate::domains::audit::Change;
use crate::infrastructure::crypto::{TokenHash, random_token};
use crate::infrastructure::database::AcrossTenants;

/// How long an invitation holds.
const LIFE: Duration = Duration::from_secs(1800);
const PREFIX: &str = "mrc_";

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

    /// Takes what was filled in. The first who does uses the invitation up; what is refused as invalid does not.
    pub(super) async fn accept(&self, token: &str, entered: Vec<(String, String)>) -> Result<Accepted, Error> {
        let mut row = self.open_session(token).await?;
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
        self.advance(&row, SessionStatus::Started, None, None).await?;
        row.status = SessionStatus::Started;
        let new = CreateCredential {
            id: None,
            name: row.name.clone(),
            kind: row.kind.clone(),
            data: Secret::new(fields),
            allowed_hosts: super::dto::list(row.allowed_hosts.as_deref()),
        };
        let credential = self.create(&ctx, new).await?.id;
        if consent {
            self.advance(&row, SessionStatus::Started, Some(credential), None).await?;
            let row_of_credential = self.row(ctx.tenant, &credential.to_string()).await?;
            return Ok(Accepted::Consent(self.begin_flow(&ctx, &row_of_credential, Some(row.id)).await?));
        }
        self.advance(&row, SessionStatus::Connected, Some(credential), None).await?;
        self.announce(row.tenant_id, Event::SessionConnected { session: row.id, credential }).await;
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
        let Some(error) = error else {
            self.advance(&row, SessionStatus::Connected, Some(credential), None).await?;
            self.announce(tenant, Event::SessionConnected { session: id, credential }).await;
            return Ok(());
        };
        let reason = error.code().code.to_owned();
        self.advance(&row, SessionStatus::Failed, None, Some(reason.clone())).await?;
        // The credential was made for this session only, and will never be connected.
        self.delete(&Ctx::system(tenant), &credential.to_string()).await?;
        self.announce(tenant, Event::SessionFailed { session: id, reason }).await;
        Ok(())
    }

    /// Removes flows and sessions that ended a day ago.
    pub async fn prune(&self) -> Result<(), Error> {
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

    async fn advance(
        &self,
        row: &sessions::Session,
        status: SessionStatus,
        credential: Option<crate::common::CredentialId>,
        problem: Option<String>,
    ) -> Result<(), Error> {
        let action = match status {
            SessionStatus::Connected => "connectSession.connect",
            SessionStatus::Failed => "connectSession.fail",
            _ => "connectSession.start",
        };
        let ctx = Ctx::system(row.tenant_id);
        let transaction = self.database.begin(&ctx).await?;
        if !sessions::advance(&transaction, row, status, credential, problem.clone()).await? {
            return Err(Error::SessionUsed);
        }
        let after =
            self.session_response(&sessions::Session { status, credential_id: credential, problem, ..row.clone() });
        self.audit.record(&transaction, &ctx, Change::new(action, row.id).after(&after)).await?;
        Ok(transaction.commit().await?)
    }

    fn session_response(&self, row: &sessions::Session) -> SessionResponse {
        let is_over = row.status == SessionStatus::Pending && row.expires_at <= self.clock.now();
        SessionResponse {
            id: row.id,
            kind: row.kind.clone(),
            name: row.name.clone(),
            end_user: row.end_user.clone(),
            status: if is_over { SessionStatus::Expired } else { row.status },
            problem: row.problem.clone(),
            credential_id: row.credential_id,
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
