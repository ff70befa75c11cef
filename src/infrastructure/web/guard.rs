//! Guards in handler signatures: no handler gets a context without the check. They answer at once, so a refused caller's
//! body is never read.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::forwarded::client_address;
use crate::common::permission::Requires;
use crate::common::{Code, Ctx, Kind, Problem, RequestId};

/// The caller holds the permission `P`; gives the context. `async fn list_workflows(ctx: Can<WorkflowsRead>, …)`.
#[derive(Debug)]
pub struct Can<P> {
    ctx: Ctx,
    permission: PhantomData<fn() -> P>,
}

impl<P> Deref for Can<P> {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.ctx
    }
}

/// The caller is signed in; which permissions they hold does not matter.
#[derive(Debug)]
pub struct Authenticated(Ctx);

impl Deref for Authenticated {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.0
    }
}

/// Anybody: for the few operations that need no credentials.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub request_id: RequestId,
    pub address: Option<IpAddr>,
    /// What the caller's program calls itself, cut to what is worth keeping.
    pub user_agent: Option<String>,
}

impl Visitor {
    /// The server itself.
    pub fn server() -> Visitor {
        Visitor { request_id: RequestId::generate(), address: None, user_agent: None }
    }

    pub(super) fn of(request: &HttpRequest) -> Visitor {
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Visitor {
            request_id: RequestId::generate(),
            address: client_address(request),
            user_agent: agent.map(|agent| agent.chars().take(MAX_AGENT_LENGTH).collect()),
        }
    }
}

const MAX_AGENT_LENGTH: usize = 200;

/// Left in the request by the authentication middleware: `None` when no credentials were shown.
#[derive(Clone)]
pub(super) struct Authentication(pub(super) Option<Result<Ctx, Problem>>);

impl<P: Requires> FromRequest for Can<P> {
    type Error = Problem;
    type Future = Ready<Result<Can<P>, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).and_then(|ctx| {
            ctx.require(P::PERMISSION)?;
            Ok(Can { ctx, permission: PhantomData })
        }))
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Authenticated, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(Authenticated))
    }
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Ready<Result<Visitor, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visitor = request.extensions().get::<Visitor>().cloned();
        ready(Ok(visitor.unwrap_or_else(|| Visitor::of(request))))
    }
}

pub(super) fn caller(request: &HttpRequest) -> Result<Ctx, Problem> {
    match request.extensions().get::<Authentication>() {
        Some(Authentication(Some(result))) => result.clone(),
        _ => Err(Problem::of(UNAUTHENTICATED)),
    }
}

const UNAUTHENTICATED: Code = Code::new(Kind::Unauthenticated, "unauthenticated", "Credentials are needed");
