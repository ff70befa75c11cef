//! The rules of credentials: what comes in is checked against its type and sealed; what goes out has no place for a
//! secret. What is read for use at run time is in `resolve`.

use std::sync::{Arc, OnceLock};

use super::dto::{
    CreateCredential, CredentialResponse, ListCredentialsQuery, ReplaceCredential, ShareCredential, UpdateCredential,
    UsageResponse,
};
use super::error::Error;
use super::events::Listener;
use super::external::ExternalSecrets;
use super::model::{Fields, Status, TOKENS};
use super::redirect::{self, State};
use super::registry::{self, CredentialType};
use super::repository as rows;
use super::vault::{self, Sealed, Sealer, StartError, Vault};
use super::workflows::{CredentialName, Workflows};
use crate::common::{Clock, CredentialId, Ctx, FieldError, Page, Patch, Secret, TenantId};
use crate::domains::audit::{self, Change};
use crate::domains::{tenants, users};
use crate::infrastructure::config::Config;
use crate::infrastructure::crypto::key_encryption;
use crate::infrastructure::database::{Database, Transaction, is_unique_violation};
use crate::infrastructure::http_client::{AllowedHosts, HttpClient, Way};
use crate::infrastructure::services::Services;

/// The credentials of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: audit::Service,
    pub(super) vault: Vault,
    pub(super) tenants: tenants::Service,
    pub(super) users: users::Service,
    pub(super) http: HttpClient,
    pub(super) services: Services,
    pub(super) external: ExternalSecrets,
    /// The address under which callers reach this server, without a slash at its end.
    pub(super) public_url: Arc<str>,
    workflows: Arc<OnceLock<Arc<dyn Workflows>>>,
    listeners: Arc<OnceLock<Vec<Arc<dyn Listener>>>>,
}

impl Service {
    /// Opens the encryption keys as configured and refuses to begin with the wrong ones.
    pub async fn open(
        config: &Config,
        database: Database,
        clock: Arc<dyn Clock>,
        audit: audit::Service,
        (tenants, users): (tenants::Service, users::Service),
        http: HttpClient,
    ) -> Result<Service, StartError> {
        let may_create = !vault::is_in_use(&database).await?;
        let keys = key_encryption::open(&config.encryption, &config.data.directory, &http, may_create)?;
        let vault = Vault::new(database.clone(), Arc::clone(&clock), keys);
        vault.check().await?;
        let public_url = config.public_url().into();
        let (workflows, listeners) = (Arc::default(), Arc::default());
        let external = ExternalSecrets::new(&config.secrets, &http);
        let services = Services::new(&http);
        Ok(Service {
            database,
            clock,
            audit,
            vault,
            tenants,
            users,
            http,
            services,
            external,
            public_url,
            workflows,
            listeners,
        })
    }

    /// The way out as far as the tenant's workflows may go.
    pub(super) async fn way(&self, tenant: TenantId) -> Result<Way, Error> {
        Ok(self.http.within(Arc::clone(&self.tenants.profile(tenant).await?.egress)))
    }

    /// Names those who are told of events; once, before the first request.
    pub fn plug_listeners(&self, listeners: Vec<Arc<dyn Listener>>) {
        if self.listeners.set(listeners).is_err() {
            tracing::error!("listeners were plugged into the credentials twice; the second call was ignored");
        }
    }

    pub(super) fn listeners(&self) -> impl Iterator<Item = &Arc<dyn Listener>> {
        self.listeners.get().into_iter().flatten()
    }

    /// Names who knows the workflows; once, before the first request.
    pub fn plug(&self, workflows: Arc<dyn Workflows>) {
        if self.workflows.set(workflows).is_err() {
            tracing::error!("workflows were plugged into the credentials twice; the second call was ignored");
        }
    }

    pub async fn list(&self, ctx: &Ctx, query: &ListCredentialsQuery) -> Result<Page<CredentialResponse>, Error> {
        let limit = query.limit.unwrap_or_default().get();
        let filter = rows::Filter {
            kind: query.kind.clone(),
            name: query.name.clone().filter(|name| !name.trim().is_empty()),
            before: query.cursor.map(|cursor| CredentialId::from_uuid(cursor.id())),
            limit,
        };
        let found = rows::list(&self.database.read(ctx), ctx.tenant, &filter).await?;
        Ok(Page::from_rows(found, limit, |row| row.id.as_uuid(), |row| CredentialResponse::of(&row)))
    }

    pub async fn get(&self, ctx: &Ctx, reference: &str) -> Result<CredentialResponse, Error> {
        let row = self.row(ctx.tenant, reference).await?;
        let fields = self.fields(&row).await?;
        Ok(CredentialResponse::of(&row).with_data(fields.expose().shown(kind_of(&row.kind)?)))
    }

    pub async fn create(&self, ctx: &Ctx, new: CreateCredential) -> Result<CredentialResponse, Error> {
        let (row, fields) = self.prepared(ctx, new).await?;
        let transaction = self.database.begin(ctx).await?;
        let response = self.insert_within(&transaction, ctx, &row).await?;
        transaction.commit().await?;
        Ok(response.with_data(fields.expose().shown(kind_of(&row.kind)?)))
    }

    /// A new row, checked and sealed, to be stored.
    pub(super) async fn prepared(
        &self,
        ctx: &Ctx,
        new: CreateCredential,
    ) -> Result<(rows::Credential, Secret<Fields>), Error> {
        let kind = registry::find(&new.kind).ok_or_else(|| unknown_kind(&new.kind))?;
        let fields = Secret::new(Fields::default().changed(new.data.expose(), false));
        let mut problems = registry::check(kind, &fields.expose().0);
        let allowed_hosts = allowed_hosts(new.allowed_hosts, fields.expose(), &mut problems);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let now = self.clock.now();
        let mut row = rows::Credential {
            id: CredentialId::new(),
            tenant_id: ctx.tenant,
            alias: new.id,
            name: new.name.trim().to_owned(),
            kind: kind.name.clone(),
            revision: 0,
            key_version: 0,
            sealed: Vec::new(),
            allowed_hosts,
            workflows: None,
            node_types: None,
            status: status_of(kind, fields.expose()),
            problem: None,
            scopes: None,
            expires_at: None,
            refreshing_until: None,
            created_at: now,
            updated_at: now,
            created_by: ctx.actor.user(),
        };
        self.seal(&mut row, &fields).await?;
        Ok((row, fields))
    }

    /// Stores a new row.
    pub(super) async fn insert_within(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        row: &rows::Credential,
    ) -> Result<CredentialResponse, Error> {
        let response = CredentialResponse::of(row);
        rows::insert(transaction, row.clone()).await.map_err(|error| match &row.alias {
            Some(alias) if is_unique_violation(&error) => Error::IdTaken(alias.clone()),
            _ => Error::Database(error),
        })?;
        self.audit.record(transaction, ctx, Change::new("credential.create", row.id).after(&response)).await?;
        Ok(response)
    }

    /// Takes the place of what there was.
    pub async fn replace(
        &self,
        ctx: &Ctx,
        reference: &str,
        new: ReplaceCredential,
    ) -> Result<CredentialResponse, Error> {
        let hosts = new.allowed_hosts.map_or(Patch::Null, Patch::Value);
        let changes = Changes { name: Some(new.name), kind: new.kind, data: Some(new.data), hosts, partial: false };
        self.change(ctx, reference, changes).await
    }

    /// Changes what is given.
    pub async fn update(&self, ctx: &Ctx, reference: &str, new: UpdateCredential) -> Result<CredentialResponse, Error> {
        let hosts = new.allowed_hosts;
        let changes = Changes { name: new.name, kind: new.kind, data: new.data, hosts, partial: true };
        self.change(ctx, reference, changes).await
    }

    /// Says which workflows and node types may use it.
    pub async fn share(&self, ctx: &Ctx, reference: &str, share: ShareCredential) -> Result<CredentialResponse, Error> {
        let mut row = self.row(ctx.tenant, reference).await?;
        let before = CredentialResponse::of(&row);
        if let (Some(ids), Some(workflows)) = (&share.workflows, self.workflows.get()) {
            let unknown = workflows.unknown(ctx.tenant, ids).await?;
            let at = |id| ids.iter().position(|known| known == id).unwrap_or_default();
            let problem =
                |id| FieldError::new(format!("/workflows/{}", at(id)), "workflow_not_found", "no such workflow");
            if !unknown.is_empty() {
                return Err(Error::Invalid(unknown.iter().map(problem).collect()));
            }
        }
        row.workflows = share.workflows.map(|list| serde_json::json!(list).to_string());
        row.node_types = share.node_types.map(|list| serde_json::json!(list).to_string());
        row.updated_at = self.clock.now();
        self.store(ctx, "credential.share", &before, &row).await
    }

    /// Deletes it; gives what it was. Workflows that name it fail from now on.
    pub async fn delete(&self, ctx: &Ctx, reference: &str) -> Result<CredentialResponse, Error> {
        let row = self.row(ctx.tenant, reference).await?;
        // Read before it is gone; what does not open has nothing to revoke.
        let fields = self.fields(&row).await.ok();
        let transaction = self.database.begin(ctx).await?;
        let response = self.delete_within(&transaction, ctx, &row).await?;
        transaction.commit().await?;
        if let Some(fields) = fields {
            self.revoke(&row, &fields).await;
        }
        Ok(response)
    }

    /// Deletes a row and says so in the log.
    pub(super) async fn delete_within(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        row: &rows::Credential,
    ) -> Result<CredentialResponse, Error> {
        let response = CredentialResponse::of(row);
        rows::delete(transaction, row).await?;
        self.audit.record(transaction, ctx, Change::new("credential.delete", row.id).before(&response)).await?;
        Ok(response)
    }

    /// The workflows that name it.
    pub async fn usage(&self, ctx: &Ctx, reference: &str) -> Result<UsageResponse, Error> {
        let rows::Credential { id, alias, name, kind, .. } = self.row(ctx.tenant, reference).await?;
        let data = match self.workflows.get() {
            Some(workflows) => workflows.using(ctx.tenant, &CredentialName { id, alias, name, kind }).await?,
            None => Vec::new(),
        };
        Ok(UsageResponse { data })
    }
}

/// What an update asks for.
struct Changes {
    name: Option<String>,
    kind: Option<String>,
    data: Option<Secret<Fields>>,
    hosts: Patch<Vec<String>>,
    /// Fields that are not given stay.
    partial: bool,
}

impl Service {
    pub(super) async fn row(&self, tenant: TenantId, reference: &str) -> Result<rows::Credential, Error> {
        rows::find(&self.database.read(tenant), tenant, reference).await?.ok_or(Error::NotFound)
    }

    /// Its fields as they were entered, and the tokens it got.
    pub(super) async fn fields(&self, row: &rows::Credential) -> Result<Secret<Fields>, Error> {
        let place = row_name(row.id);
        let sealed = Sealed { tenant: row.tenant_id, row: &place, version: row.key_version, bytes: &row.sealed };
        let plain = self.vault.open(&sealed).await?;
        serde_json::from_slice(plain.expose()).map(Secret::new).map_err(|_| Error::Damaged)
    }

    /// Puts these fields into the row.
    pub(super) async fn seal(&self, row: &mut rows::Credential, fields: &Secret<Fields>) -> Result<(), Error> {
        let sealer = self.vault.sealer(row.tenant_id).await?;
        self.seal_with(&sealer, row, fields)
    }

    /// The same with a key at hand.
    pub(super) fn seal_with(
        &self,
        sealer: &Sealer,
        row: &mut rows::Credential,
        fields: &Secret<Fields>,
    ) -> Result<(), Error> {
        let plain = Secret::new(serde_json::to_vec(&fields.expose().0).unwrap_or_default());
        row.sealed = sealer.seal(&row_name(row.id), plain.expose())?;
        row.key_version = sealer.version;
        Ok(())
    }

    async fn change(&self, ctx: &Ctx, reference: &str, changes: Changes) -> Result<CredentialResponse, Error> {
        let mut row = self.row(ctx.tenant, reference).await?;
        let (before, kind) = (CredentialResponse::of(&row), kind_of(&row.kind)?);
        let hosts_before = row.allowed_hosts.clone();
        let data_is_given = changes.data.is_some();
        let data = changes.data.unwrap_or_default();
        let old = match self.fields(&row).await {
            // All of it is entered again: what was there is not needed.
            Err(Error::Damaged) if !changes.partial && !data.expose().keeps_something() => Secret::default(),
            opened => opened?,
        };
        let mut fields = old.expose().changed(data.expose(), changes.partial);
        let mut problems = registry::check(kind, &fields.0);
        if changes.kind.is_some_and(|other| other != row.kind) {
            let message = format!("the type stays {}; make another credential", row.kind);
            problems.push(FieldError::new("/type", "type_fixed", message));
        }
        let names_hosts = registry::COMMON.iter().any(|name| data.expose().0.contains_key(*name));
        match changes.hosts {
            Patch::Value(hosts) => row.allowed_hosts = allowed_hosts(Some(hosts), &fields, &mut problems),
            Patch::Absent if !names_hosts => {}
            Patch::Absent | Patch::Null => row.allowed_hosts = allowed_hosts(None, &fields, &mut problems),
        }
        let was = State { fields: old.expose(), allowed_hosts: hosts_before.as_deref() };
        let will_be = State { fields: &fields, allowed_hosts: row.allowed_hosts.as_deref() };
        let moved = redirect::cause(kind, was, will_be).filter(|_| problems.is_empty());
        if let Some(cause) = &moved {
            problems = redirect::to_enter_again(kind, old.expose(), &fields, data.expose(), cause);
        }
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        if moved.is_some() && !data.expose().0.contains_key(TOKENS) {
            // They are for where they came from: the account is connected again.
            fields.0.remove(TOKENS);
            (row.expires_at, row.scopes) = (None, None);
        }
        if let Some(name) = changes.name {
            name.trim().clone_into(&mut row.name);
        }
        if data_is_given && kind.holds_access_token() && !kind.asks_a_person(&fields.complete(kind)) {
            // Nobody has to be asked for another token, and this one is of the old fields.
            fields.0.remove(TOKENS);
            row.expires_at = None;
        }
        let fields = Secret::new(fields);
        if row.status != Status::ReconnectNeeded || !fields.expose().0.contains_key(TOKENS) {
            row.status = status_of(kind, fields.expose());
        }
        row.updated_at = self.clock.now();
        self.seal(&mut row, &fields).await?;
        let response = self.store(ctx, "credential.update", &before, &row).await?;
        Ok(response.with_data(fields.expose().shown(kind)))
    }

    /// Writes a row and its audit row.
    pub(super) async fn store(
        &self,
        ctx: &Ctx,
        action: &'static str,
        before: &CredentialResponse,
        row: &rows::Credential,
    ) -> Result<CredentialResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let response = self.store_within(&transaction, ctx, action, before, row).await?;
        transaction.commit().await?;
        Ok(response)
    }

    /// The same within a transaction.
    pub(super) async fn store_within(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        action: &'static str,
        before: &CredentialResponse,
        row: &rows::Credential,
    ) -> Result<CredentialResponse, Error> {
        let after = CredentialResponse::of(row);
        if !rows::update(transaction, row).await? {
            return Err(Error::Changed);
        }
        self.audit.record(transaction, ctx, Change::new(action, row.id).before(before).after(&after)).await?;
        Ok(after)
    }
}

/// What the sealed fields of a credential are bound to.
fn row_name(id: CredentialId) -> String {
    format!("credential|{id}")
}

pub(super) fn kind_of(name: &str) -> Result<&'static CredentialType, Error> {
    registry::find(name).ok_or_else(|| Error::UnknownType { name: name.to_owned(), close: registry::close_to(name) })
}

/// An unknown type within a body is a mistake at a place.
pub(super) fn unknown_kind(name: &str) -> Error {
    let error = Error::UnknownType { name: name.to_owned(), close: registry::close_to(name) };
    Error::Invalid(vec![FieldError::new("/type", "credential_type_not_found", error.to_string())])
}

/// Is something still missing that only connecting the account gives?
fn status_of(kind: &CredentialType, fields: &Fields) -> Status {
    if kind.asks_a_person(&fields.complete(kind)) && !fields.0.contains_key(TOKENS) {
        Status::NotConnected
    } else {
        Status::Ready
    }
}

/// The column of hosts: as given, else as n8n's own fields say.
pub(super) fn allowed_hosts(
    given: Option<Vec<String>>,
    fields: &Fields,
    problems: &mut Vec<FieldError>,
) -> Option<String> {
    let (pointer, hosts) = match (given, fields.text("allowedHttpRequestDomains").as_str()) {
        (Some(given), _) => ("/allowedHosts", given),
        (None, "domains") => {
            let names = fields.text("allowedDomains");
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            ("/data/allowedDomains", names.map(str::to_owned).collect())
        }
        (None, "none") => ("/data/allowedDomains", Vec::new()),
        (None, _) => return None,
    };
    let by_index = pointer == "/allowedHosts";
    for (at, host) in hosts.iter().enumerate() {
        if let Err(error) = AllowedHosts::parse([host.as_str()]) {
            let place = if by_index { format!("{pointer}/{at}") } else { pointer.to_owned() };
            problems.push(FieldError::new(place, "invalid_host", error.to_string()));
        }
    }
    AllowedHosts::parse(hosts.iter().map(String::as_str)).ok().map(|hosts| serde_json::json!(hosts.names()).to_string())
}
