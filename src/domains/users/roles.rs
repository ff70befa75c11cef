//! Roles that a tenant makes of permissions. Nobody puts into a role what they do not hold themselves.

use super::dto::{CreateRole, RoleResponse, UpdateRole};
use super::entities::role;
use super::error::Error;
use super::model::{Role, read_permissions, write_permissions};
use super::repository::roles as rows;
use super::service::Service;
use crate::common::{Ctx, Permission, Permissions, RoleId};
use crate::domains::audit::Change;
use crate::infrastructure::database::{self, Transaction};

impl Service {
    /// The built-in roles, then those of the caller's tenant by name.
    pub async fn roles(&self, ctx: &Ctx) -> Result<Vec<RoleResponse>, Error> {
        let own = rows::list(&self.database.read(ctx), ctx.tenant).await?;
        let built_in = Role::ALL.into_iter().map(RoleResponse::built_in);
        Ok(built_in.chain(own.into_iter().map(RoleResponse::from)).collect())
    }

    pub async fn create_role(&self, ctx: &Ctx, new: CreateRole) -> Result<RoleResponse, Error> {
        let permissions = granted(ctx, &new.permissions)?;
        let now = self.clock.now();
        let id = RoleId::new();
        let row = role::Model {
            id,
            tenant_id: ctx.tenant,
            name: new.name,
            permissions: write_permissions(permissions),
            created_at: now,
            updated_at: now,
        };
        let transaction = self.database.begin(ctx).await?;
        rows::insert(&transaction, row.clone()).await.map_err(name_taken)?;
        let response = RoleResponse::from(row);
        self.audit.record(&transaction, ctx, Change::new("role.create", id).after(&response)).await?;
        transaction.commit().await?;
        Ok(response)
    }

    /// Changes a role for everyone who has it.
    pub async fn update_role(&self, ctx: &Ctx, id: RoleId, change: UpdateRole) -> Result<RoleResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let mut row = self.role_to_change(&transaction, ctx, id).await?;
        let before = RoleResponse::from(row.clone());
        if let Some(name) = change.name {
            row.name = name;
        }
        if let Some(permissions) = change.permissions {
            row.permissions = write_permissions(granted(ctx, &permissions)?);
        }
        row.updated_at = self.clock.now();
        rows::update(&transaction, row.clone()).await.map_err(name_taken)?;
        let after = RoleResponse::from(row);
        self.audit.record(&transaction, ctx, Change::new("role.update", id).before(&before).after(&after)).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Deletes a role that nobody has.
    pub async fn delete_role(&self, ctx: &Ctx, id: RoleId) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        let row = self.role_to_change(&transaction, ctx, id).await?;
        if rows::is_used(&transaction, ctx.tenant, id).await? {
            return Err(Error::RoleInUse);
        }
        rows::delete(&transaction, ctx.tenant, id).await?;
        let before = RoleResponse::from(row);
        self.audit.record(&transaction, ctx, Change::new("role.delete", id).before(&before)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What a role allows, to be given to somebody: refused where it is more than the caller holds.
    pub(super) async fn role_to_give(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        role: Role,
        custom: Option<RoleId>,
    ) -> Result<Permissions, Error> {
        let permissions = match custom {
            None => role.permissions(),
            Some(id) => {
                let row = rows::lock(transaction, ctx.tenant, id).await?.ok_or(Error::RoleNotFound)?;
                read_permissions(&row.permissions)
            }
        };
        if permissions.is_subset_of(ctx.permissions) { Ok(permissions) } else { Err(Error::RoleTooHigh) }
    }

    async fn role_to_change(&self, transaction: &Transaction, ctx: &Ctx, id: RoleId) -> Result<role::Model, Error> {
        let row = rows::lock(transaction, ctx.tenant, id).await?.ok_or(Error::RoleNotFound)?;
        let holds = read_permissions(&row.permissions).is_subset_of(ctx.permissions);
        if holds { Ok(row) } else { Err(Error::RoleTooHigh) }
    }
}

fn granted(ctx: &Ctx, wanted: &[Permission]) -> Result<Permissions, Error> {
    let wanted: Permissions = wanted.iter().copied().collect();
    if wanted.is_subset_of(ctx.permissions) {
        return Ok(wanted);
    }
    let missing = wanted.iter().filter(|permission| !ctx.permissions.contains(*permission)).collect();
    Err(Error::BeyondOwnPermissions { missing })
}

fn name_taken(error: database::Error) -> Error {
    if database::is_unique_violation(&error) { Error::RoleNameTaken } else { error.into() }
}
