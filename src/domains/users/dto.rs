//! What the API takes and shows of people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Membership, Role, User};
use crate::common::{Timestamp, UserId};

/// A member of the caller's tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "email": "ann@acme.example", "name": "Ann",
    "role": "developer", "memberSince": "2025-01-31T08:00:00.000Z"
}))]
pub struct UserResponse {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub member_since: Timestamp,
}

/// Changes to a member.
#[derive(Clone, Copy, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "role": "developer" }))]
pub struct UpdateUser {
    pub role: Role,
}

impl From<(User, Membership)> for UserResponse {
    fn from((user, membership): (User, Membership)) -> UserResponse {
        UserResponse {
            id: user.id,
            email: user.email.as_str().to_owned(),
            name: user.name,
            role: membership.role,
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
