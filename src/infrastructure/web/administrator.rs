//! The guard of what the platform's administrators do: a role of a person, apart from roles in tenants.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, web};
use async_trait::async_trait;
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use super::guard::caller;
use super::responses::{SignedIn, problem};
use crate::common::{Actor, Code, Ctx, Kind, Problem, UserId};

/// Knows who administers the platform. The domain `users` does; `app.rs` plugs it in.
#[async_trait]
pub trait AdministratorRoll: Send + Sync {
    async fn is_administrator(&self, user: UserId) -> Result<bool, Problem>;

    /// Records that an administrator reads what is not their own; what is not recorded is not read.
    async fn reads(&self, administrator: &Ctx, path: &str) -> Result<(), Problem>;
}

/// The caller is a signed-in person who administers the platform; API keys are not enough. The context's tenant is the
/// caller's own, not the one that is administered.
#[derive(Debug)]
pub struct Administrator(Ctx);

impl Deref for Administrator {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.0
    }
}

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Administrator, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ctx = caller(request);
        // What changes something is recorded with the change.
        let read = (request.method() == Method::GET).then(|| request.path().to_owned());
        let roll = request.app_data::<web::Data<dyn AdministratorRoll>>().cloned();
        Box::pin(async move {
            let ctx = ctx?;
            let refused =
                || Problem::of(ADMINISTRATOR_NEEDED).with_detail("only administrators of the platform, signed in");
            let Actor::User(user) = ctx.actor else { return Err(refused()) };
            if !ctx.login.is_some_and(|login| login.of_account) {
                return Err(refused());
            }
            let Some(roll) = roll else { return Err(refused()) };
            if !roll.is_administrator(user).await? {
                return Err(refused());
            }
            if let Some(path) = read {
                roll.reads(&ctx, &path).await?;
            }
            Ok(Administrator(ctx))
        })
    }
}

/// 401, 403, 429 and 500: what an operation for administrators answers.
pub struct Administrators;

impl IntoResponses for Administrators {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = SignedIn::responses();
        let forbidden = problem(
            403,
            "The caller is no administrator of the platform.",
            "administrator_needed",
            "Only for administrators of the platform",
        );
        all.insert("403".to_owned(), RefOr::T(forbidden));
        all
    }
}

const ADMINISTRATOR_NEEDED: Code =
    Code::new(Kind::Forbidden, "administrator_needed", "Only for administrators of the platform");
