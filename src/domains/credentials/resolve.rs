//! What a node gets of a credential at run time: checked for the tenant, the workflow and the node type that ask, whatever
//! led to the reference.

use millrace_model::{Object, Value};

use super::dto::list;
use super::error::Error;
use super::model::{Fields, Status};
use super::oauth::access_token;
use super::registry::CredentialType;
use super::repository as rows;
use super::service::{Service, kind_of};
use super::trial::object;
use crate::common::{CredentialId, Ctx, Secret, WorkflowId};
use crate::infrastructure::http_client::AllowedHosts;

/// What a node asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Name of the credential type.
    pub kind: &'a str,
    /// What the node says of it: `{"id": …, "name": …}`, or a bare name in old documents. A node that says nothing takes
    /// the tenant's only one of the type.
    pub reference: Option<&'a Value>,
    pub node_type: &'a str,
    /// The workflow whose node asks; for one that was given within a call, the workflow that called.
    pub workflow: WorkflowId,
}

/// A credential for use: never stored, never shown.
pub struct Resolved {
    pub id: CredentialId,
    /// As nodes take it.
    pub data: Object,
    /// The only hosts requests with it may go to; `None`: any.
    pub allowed_hosts: Option<AllowedHosts>,
    /// The texts in it that must not be seen outside.
    pub secrets: Vec<Secret<String>>,
}

/// Never shows what it holds.
impl std::fmt::Debug for Resolved {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Resolved({})", self.id)
    }
}

impl Service {
    /// The credential a node asks for, if it may have it.
    pub async fn resolve(&self, ctx: &Ctx, wanted: &Wanted<'_>) -> Result<Resolved, Error> {
        let row = self.referenced(ctx, wanted).await?;
        if row.kind != wanted.kind {
            return Err(Error::OtherType { name: row.name, kind: row.kind, wanted: wanted.kind.to_owned() });
        }
        if list::<WorkflowId>(row.workflows.as_deref()).is_some_and(|allowed| !allowed.contains(&wanted.workflow)) {
            return Err(Error::NotShared { name: row.name, with: "this workflow" });
        }
        let allowed_types = list::<String>(row.node_types.as_deref());
        if allowed_types.is_some_and(|allowed| !allowed.iter().any(|kind| kind == wanted.node_type)) {
            return Err(Error::NotShared { name: row.name, with: "this type of node" });
        }
        self.usable(row).await
    }

    /// The credential of this id, for what the server itself does on behalf of somebody. One that is kept to some workflows, or
    /// types of nodes, is for those alone.
    pub async fn lend(&self, ctx: &Ctx, id: &str, kind: &str) -> Result<Resolved, Error> {
        let row = rows::find(&self.database.read(ctx), ctx.tenant, id).await?.ok_or(Error::NotFound)?;
        if row.kind != kind {
            return Err(Error::OtherType { name: row.name, kind: row.kind, wanted: kind.to_owned() });
        }
        if row.workflows.is_some() || row.node_types.is_some() {
            return Err(Error::NotShared { name: row.name, with: "the whole tenant" });
        }
        self.usable(row).await
    }

    /// By id, else by the id it had elsewhere, else by its name if only one of the type bears it.
    async fn referenced(&self, ctx: &Ctx, wanted: &Wanted<'_>) -> Result<rows::Credential, Error> {
        let Some(reference) = wanted.reference else { return self.only(ctx, wanted.kind).await };
        let text = |name: &str| reference.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (id, name) = (text("id"), text("name").or(reference.as_str()));
        if let Some(id) = id {
            if let Some(row) = rows::find(&self.database.read(ctx), ctx.tenant, id).await? {
                return Ok(row);
            }
            // An id of ours that is not here is another tenant's or deleted; a name must not lead elsewhere.
            if id.parse::<CredentialId>().is_ok() {
                return Err(Error::NotFound);
            }
        }
        let Some(name) = name else { return Err(Error::NotFound) };
        let mut found = rows::named(&self.database.read(ctx), ctx.tenant, wanted.kind, name).await?;
        match (found.pop(), found.is_empty()) {
            (Some(row), true) => Ok(row),
            (Some(_), false) => Err(Error::AmbiguousName(name.to_owned())),
            (None, _) => Err(Error::NotFound),
        }
    }

    async fn only(&self, ctx: &Ctx, kind: &str) -> Result<rows::Credential, Error> {
        let mut found = rows::of_kind(&self.database.read(ctx), ctx.tenant, kind).await?;
        match (found.pop(), found.is_empty()) {
            (Some(row), true) => Ok(row),
            (Some(_), false) => Err(Error::SeveralOfType(kind.to_owned())),
            (None, _) => Err(Error::NoneOfType(kind.to_owned())),
        }
    }

    async fn usable(&self, row: rows::Credential) -> Result<Resolved, Error> {
        let kind = kind_of(&row.kind)?;
        match row.status {
            Status::Ready => {}
            Status::NotConnected | Status::ReconnectNeeded => return Err(Error::NotConnected(row.name)),
        }
        let row = if kind.holds_access_token() { self.fresh(row).await? } else { row };
        self.given(&row, kind).await
    }

    /// Another access token in place of one that a service refused.
    pub async fn renewed(&self, ctx: &Ctx, id: CredentialId, refused: &str) -> Result<Resolved, Error> {
        let row = self.replaced(ctx.tenant, id, refused).await?;
        self.given(&row, kind_of(&row.kind)?).await
    }

    async fn given(&self, row: &rows::Credential, kind: &CredentialType) -> Result<Resolved, Error> {
        let (entered, fields) = (self.fields(row).await?, self.effective(row, kind).await?);
        let mut secrets: Vec<_> = fields.expose().secrets(kind).into_iter().map(Secret::new).collect();
        // What came from outside is a secret whatever its field is.
        let outside =
            entered.expose().0.iter().filter(|(_, value)| value.as_str().is_some_and(|text| text.starts_with('=')));
        secrets.extend(outside.map(|(name, _)| Secret::new(fields.expose().text(name))));
        let data = match access_token(fields.expose()) {
            Some(token) if kind.holds_access_token() => token_only(row.id, &token),
            _ => object(fields.expose()),
        };
        Ok(Resolved { id: row.id, data, allowed_hosts: hosts_of(row), secrets })
    }

    /// The fields with what the type adds and external secrets hold.
    pub(super) async fn effective(
        &self,
        row: &rows::Credential,
        kind: &CredentialType,
    ) -> Result<Secret<Fields>, Error> {
        let entered = self.fields(row).await?;
        let mut complete = entered.expose().complete(kind);
        self.external.fill(row.tenant_id, &mut complete).await?;
        Ok(Secret::new(complete))
    }
}

/// Of an OAuth credential a node gets the access token alone, and whom to ask for another: what renews it stays here.
fn token_only(id: CredentialId, token: &Secret<String>) -> Object {
    let token = Value::from(token.expose().as_str());
    let tokens = Object::from([("access_token", token.clone()), ("token_type", "bearer".into())]);
    Object::from([("oauthTokenData", tokens.into()), ("accessToken", token), ("credentialId", id.to_string().into())])
}

pub(super) fn hosts_of(row: &rows::Credential) -> Option<AllowedHosts> {
    let names = list::<String>(row.allowed_hosts.as_deref())?;
    // What cannot be read allows nothing.
    Some(AllowedHosts::parse(names.iter().map(String::as_str)).unwrap_or_else(|_| AllowedHosts::none()))
}
