//! Requests and what comes back.

use std::rc::Rc;

use actix_http::Request;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode, header::HeaderMap};
use actix_web::test::TestRequest;
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

/// A server that takes a request and gives a reply, whatever its type.
pub(crate) type Service = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, Reply>>;

/// Wraps what `init_service` gives.
pub(crate) fn service<S, B>(server: S) -> Service
where
    S: actix_web::dev::Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    let server = Rc::new(server);
    Rc::new(move |request| {
        let server = Rc::clone(&server);
        Box::pin(async move {
            match server.call(request).await {
                Ok(response) => Reply::read(response.into_parts().1.map_into_boxed_body()).await,
                // What the connection's dispatcher does with an error.
                Err(error) => Reply::read(error.error_response()).await,
            }
        })
    })
}

/// Somebody who sends requests. Methods panic when the reply is not what was expected.
#[derive(Clone)]
pub(crate) struct Client {
    service: Service,
    headers: Vec<(String, String)>,
}

/// A reply, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new(service: Service, headers: Vec<(String, String)>) -> Client {
        Client { service, headers }
    }

    /// The same, with one more header on each request.
    pub(crate) fn with(&self, name: &str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let json = body.map(|body| ("application/json", Bytes::from(body.to_string())));
        self.send_raw(method, path, json).await
    }

    /// Sends bytes as they are, with their content type.
    pub(crate) async fn send_raw(&self, method: Method, path: &str, body: Option<(&str, Bytes)>) -> Reply {
        let mut request =
            TestRequest::default().method(method).uri(path).peer_addr("203.0.113.7:40000".parse().unwrap());
        for (name, value) in &self.headers {
            request = request.append_header((name.as_str(), value.as_str()));
        }
        if let Some((content_type, bytes)) = body {
            request = request.append_header(("content-type", content_type)).set_payload(bytes);
        }
        (self.service)(request.to_request()).await
    }
}

impl Reply {
    async fn read(response: actix_web::HttpResponse) -> Reply {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap();
        Reply { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Reply {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        self
    }

    /// Checks the status and reads the body.
    #[track_caller]
    pub(crate) fn json(self, status: u16) -> Value {
        serde_json::from_slice(&self.expect(status).body).unwrap()
    }

    /// Checks that the body is a problem with this status and code, and gives it.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        let content_type = self.header("content-type").map(str::to_owned);
        let request_id = self.header("x-request-id").map(str::to_owned);
        let problem = self.json(status);
        assert_eq!(content_type.as_deref(), Some("application/problem+json"));
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["requestId"].as_str(), request_id.as_deref());
        problem
    }

    /// The same, with the pointers of its `errors`.
    #[track_caller]
    pub(crate) fn problem_at(self, status: u16, code: &str, pointers: &[&str]) {
        let problem = self.problem(status, code);
        let found: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{problem}");
    }
}
