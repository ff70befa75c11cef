//! Requests of `millrace execute`: through the one client, made when the first request is sent.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use millrace_nodes::{HttpError, HttpRequest, HttpResponse};
use millrace_runner::Http;

use crate::domains::executions::outbound;
use crate::infrastructure::config::Config;
use crate::infrastructure::http_client::{EgressPolicy, HttpClient};

pub(super) struct Outbound {
    /// May requests go to this machine and to private networks?
    private_networks: bool,
    client: OnceLock<Result<Client, String>>,
}

struct Client {
    client: HttpClient,
    policy: Arc<EgressPolicy>,
}

impl Outbound {
    pub(super) fn new(private_networks: bool) -> Outbound {
        Outbound { private_networks, client: OnceLock::new() }
    }

    fn connect(&self) -> Result<Client, String> {
        let config = Config::load(None).map_err(|error| error.to_string())?;
        let client = HttpClient::new(config.http_client).map_err(|error| error.to_string())?;
        let policy = match self.private_networks {
            true => Arc::new(EgressPolicy::unrestricted()),
            false => Arc::clone(client.default_policy()),
        };
        Ok(Client { client, policy })
    }
}

#[async_trait]
impl Http for Outbound {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        match self.client.get_or_init(|| self.connect()) {
            Ok(Client { client, policy }) => outbound::send(client, policy, request).await,
            Err(message) => Err(HttpError { code: "ECONNABORTED", message: message.clone() }),
        }
    }
}
