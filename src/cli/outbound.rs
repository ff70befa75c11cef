//! What `millrace execute` reaches: by HTTP through the one client, databases and mail servers by their protocols. Made
//! when something is reached for the first time.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use millrace_model::{ExecutionError, Value};
use millrace_nodes::{HttpError, HttpRequest, HttpResponse};
use millrace_runner::Http;

use crate::domains::executions::outbound;
use crate::infrastructure::config::Config;
use crate::infrastructure::http_client::{EgressPolicy, HttpClient};
use crate::infrastructure::services::Services;

pub(super) struct Outbound {
    /// May requests go to this machine and to private networks?
    private_networks: bool,
    client: OnceLock<Result<Client, String>>,
}

struct Client {
    client: HttpClient,
    services: Services,
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
        let services = Services::new(&client);
        Ok(Client { client, services, policy })
    }
}

#[async_trait]
impl Http for Outbound {
    /// On the command line nothing runs again by itself, so requests bear no key.
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        request.idempotency_key = None;
        match self.client.get_or_init(|| self.connect()) {
            Ok(Client { client, policy, .. }) => outbound::send(client, policy, request, Vec::new()).await,
            Err(message) => Err(HttpError { code: "ECONNABORTED", message: message.clone() }),
        }
    }
    async fn service(&self, name: &str, arguments: Value) -> Result<Value, ExecutionError> {
        match self.client.get_or_init(|| self.connect()) {
            Ok(Client { services, policy, .. }) => {
                outbound::service(services, &Arc::clone(policy).into(), name, &arguments).await
            }
            Err(message) => Err(ExecutionError::operation(message.as_str())),
        }
    }
}
