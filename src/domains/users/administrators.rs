//! Who administers the platform. The first one is made at the first start or on the command line.

use async_trait::async_trait;

use super::dto::{AdministratorResponse, CreateAdministrator};
use super::error::Error;
use super::model::{Email, User};
use super::repository;
use super::service::Service;
use crate::common::{Ctx, Problem, UserId};
use crate::domains::audit::Change;
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::web::AdministratorRoll;

#[async_trait]
impl AdministratorRoll for Service {
    async fn is_administrator(&self, user: UserId) -> Result<bool, Problem> {
        let found = repository::find_administrator(&self.database.read(AcrossTenants), user).await;
        Ok(found.map_err(Error::from)?.is_some())
    }

    async fn reads(&self, administrator: &Ctx, path: &str) -> Result<(), Problem> {
        let change = Change::new("administrator.read", path);
        Ok(self.audit.note(administrator, change).await.map_err(Error::from)?)
    }
}

impl Service {
    /// Everyone who administers the platform, the first one first.
    pub async fn administrators(&self) -> Result<Vec<AdministratorResponse>, Error> {
        let rows = repository::administrators(&self.database.read(AcrossTenants)).await?;
        Ok(rows.into_iter().map(AdministratorResponse::from).collect())
    }

    /// Makes a person an administrator.
    pub async fn create_administrator(
        &self,
        ctx: &Ctx,
        new: &CreateAdministrator,
    ) -> Result<AdministratorResponse, Error> {
        let transaction = self.database.begin(AcrossTenants).await?;
        let user = repository::find_by_email(&transaction, &Email::new(&new.email)).await?.ok_or(Error::NotFound)?;
        let response = self.appoint(&transaction, ctx, user).await?;
        transaction.commit().await?;
        Ok(response)
    }

    /// Makes a person an administrator in the caller's transaction.
    pub async fn appoint(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        user: User,
    ) -> Result<AdministratorResponse, Error> {
        let since = self.clock.now();
        repository::insert_administrator(transaction, user.id, since).await?;
        let response = AdministratorResponse::from((user, since));
        let change = Change::new("administrator.create", response.id).after(&response);
        self.audit.record(transaction, ctx, change).await?;
        Ok(response)
    }

    /// Takes the role from a person; the last administrator keeps it.
    pub async fn delete_administrator(&self, ctx: &Ctx, id: UserId) -> Result<(), Error> {
        let transaction = self.database.begin(AcrossTenants).await?;
        let all = repository::lock_administrators(&transaction).await?;
        if !all.contains(&id) {
            return Err(Error::NotFound);
        }
        if all.len() == 1 {
            return Err(Error::LastAdministrator);
        }
        repository::delete_administrator(&transaction, id).await?;
        self.audit.record(&transaction, ctx, Change::new("administrator.delete", id)).await?;
        transaction.commit().await?;
        Ok(())
    }
}
