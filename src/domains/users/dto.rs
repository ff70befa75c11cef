//! What the API takes and shows of people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::entities::{invitation, role};
use super::model::{Membership, Role, User, read_permissions};
use crate::common::validate::visible_text;
use crate::common::{InvitationId, Permission, RoleId, Secret, Timestamp, UserId};

/// A member of the caller's tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "email": "ann@acme.example", "name": "Ann",
    "role": "developer", "customRoleId": null, "memberSince": "2025-01-31T08:00:00.000Z"
}))]
pub struct UserResponse {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// The role that the tenant made and that counts instead, where there is one.
    pub custom_role_id: Option<RoleId>,
    pub member_since: Timestamp,
}

/// Changes to a member.
#[derive(Clone, Copy, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "role": "developer" }))]
pub struct UpdateUser {
    /// A built-in role; `viewer` where only `customRoleId` is given.
    pub role: Option<Role>,
    /// A role that the tenant made, to count instead.
    pub custom_role_id: Option<RoleId>,
}

impl From<(User, Membership)> for UserResponse {
    fn from((user, membership): (User, Membership)) -> UserResponse {
        UserResponse {
            id: user.id,
            email: user.email.as_str().to_owned(),
            name: user.name,
            role: membership.role,
            custom_role_id: membership.custom,
            member_since: membership.created_at,
        }
    }
}

/// A person who administers the platform.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "email": "root@platform.example", "name": "Root",
    "since": "2025-01-31T08:00:00.000Z"
}))]
pub struct AdministratorResponse {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub since: Timestamp,
}

/// A person who shall administer the platform.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "email": "root@platform.example" }))]
pub struct CreateAdministrator {
    /// Of an account that exists.
    #[validate(email, length(max = 254))]
    pub email: String,
}

impl From<(User, Timestamp)> for AdministratorResponse {
    fn from((user, since): (User, Timestamp)) -> AdministratorResponse {
        AdministratorResponse { id: user.id, email: user.email.as_str().to_owned(), name: user.name, since }
    }
}

/// An invitation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "email": "ann@acme.example", "role": "developer", "customRoleId": null,
    "invitedBy": "01890a5d-ac96-774b-bcce-b302099a8058", "createdAt": "2025-01-31T08:00:00.000Z",
    "expiresAt": "2025-02-07T08:00:00.000Z", "acceptedAt": null
}))]
pub struct InvitationResponse {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub custom_role_id: Option<RoleId>,
    pub invited_by: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
}

/// A new invitation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "email": "ann@acme.example", "role": "developer", "customRoleId": null,
    "invitedBy": "01890a5d-ac96-774b-bcce-b302099a8058", "createdAt": "2025-01-31T08:00:00.000Z",
    "expiresAt": "2025-02-07T08:00:00.000Z", "acceptedAt": null, "token": null
}))]
pub struct InvitedResponse {
    #[serde(flatten)]
    pub invitation: InvitationResponse,
    /// To be handed over by somebody, where the server sends no mail; else null, and only in the mail.
    pub token: Option<String>,
}

/// Somebody to be invited.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "email": "ann@acme.example", "role": "developer" }))]
pub struct CreateInvitation {
    #[validate(email, length(max = 254))]
    pub email: String,
    /// A built-in role; `viewer` when left out.
    pub role: Option<Role>,
    /// A role that the tenant made, to count instead.
    pub custom_role_id: Option<RoleId>,
}

/// An invitation taken up.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "token": "mri_3q2-7wXrV0…", "name": "Ann", "password": "correct horse battery" }))]
pub struct AcceptInvitation {
    /// From the mail.
    #[schema(value_type = String)]
    pub token: Secret<String>,
    /// For a new account; the address when left out.
    #[validate(length(min = 1, max = 120), custom(function = visible_text))]
    pub name: Option<String>,
    /// For a new account; for an account whose address nobody has verified, its password, or a new one in its place. Else
    /// not looked at.
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<Secret<String>>,
}

/// What came of an invitation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "tenant": "acme", "email": "ann@acme.example", "isNewAccount": true }))]
pub struct AcceptedInvitationResponse {
    /// Slug, to sign in to.
    pub tenant: String,
    pub email: String,
    pub is_new_account: bool,
}

/// A role.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "releaser", "isBuiltIn": false,
    "permissions": ["workflows:read", "workflows:activate"]
}))]
pub struct RoleResponse {
    /// Null for built-in roles, which go by their name.
    pub id: Option<RoleId>,
    pub name: String,
    pub is_built_in: bool,
    pub permissions: Vec<Permission>,
}

/// A role to be made.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "name": "releaser", "permissions": ["workflows:read", "workflows:activate"] }))]
pub struct CreateRole {
    #[validate(length(min = 1, max = 60), custom(function = role_name))]
    pub name: String,
    #[validate(length(min = 1, max = 63))]
    pub permissions: Vec<Permission>,
}

/// Changes to a role; what is left out stays.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "permissions": ["workflows:read"] }))]
pub struct UpdateRole {
    #[validate(length(min = 1, max = 60), custom(function = role_name))]
    pub name: Option<String>,
    #[validate(length(min = 1, max = 63))]
    pub permissions: Option<Vec<Permission>>,
}

/// No name of a built-in role, in any case.
fn role_name(name: &str) -> Result<(), ValidationError> {
    if name.trim().to_lowercase().parse::<Role>().is_ok() {
        return Err(ValidationError::new("built_in").with_message("is the name of a built-in role".into()));
    }
    crate::common::legible::legible(name)
}

impl RoleResponse {
    pub(super) fn built_in(role: Role) -> RoleResponse {
        let permissions = role.permissions().iter().collect();
        RoleResponse { id: None, name: role.to_string(), is_built_in: true, permissions }
    }
}

impl From<role::Model> for RoleResponse {
    fn from(row: role::Model) -> RoleResponse {
        let permissions = read_permissions(&row.permissions).iter().collect();
        RoleResponse { id: Some(row.id), name: row.name, is_built_in: false, permissions }
    }
}

impl From<invitation::Model> for InvitationResponse {
    fn from(row: invitation::Model) -> InvitationResponse {
        InvitationResponse {
            id: row.id,
            email: row.email,
            role: row.role,
            custom_role_id: row.role_id,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            accepted_at: row.accepted_at,
        }
    }
}
