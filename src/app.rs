//! The composition root: infrastructure → modules → app. The only file that names every domain; nothing imports it but
//! `cli` and the tests.

mod background;

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::ContentType;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{Error, HttpResponse, web};
use bytes::Bytes;
use millrace_model::Object;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::SwaggerUi;

use crate::common::Clock;
use crate::domains::{
    audit, auth, credentials, data_tables, executions, integrations, nodes, notifications, scheduling, tenants, users,
    webhooks, workflows,
};
use crate::infrastructure::cache::{self, Cache};
use crate::infrastructure::config::{self, Config, Role};
use crate::infrastructure::crypto::{Keys, Passwords};
use crate::infrastructure::database::Database;
use crate::infrastructure::database::idempotency::IdempotencyKeys;
use crate::infrastructure::events::Bus;
use crate::infrastructure::http_client::{EgressPolicy, HttpClient, TlsError};
use crate::infrastructure::mail::{self, Mailer};
use crate::infrastructure::queue::{self, Queue};
use crate::infrastructure::storage;
use crate::infrastructure::telemetry::Metrics;
use crate::infrastructure::web::authentication::authenticate;
use crate::infrastructure::web::operations::{Probes, get_liveness, get_metrics, get_readiness};
use crate::infrastructure::web::probes::{CacheProbe, DatabaseProbe, QueueProbe};
use crate::infrastructure::web::{
    AdministratorRoll, Authenticator, BodyLimit, Fallback, TrustedProxies, cors, envelope, idempotency, openapi,
    path_config, query_config,
};

/// Everything a process is made of. Cheap to clone: every part is shared.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub database: Database,
    pub cache: Arc<dyn Cache>,
    pub queue: Arc<dyn Queue>,
    pub events: Bus,
    pub http_client: HttpClient,
    pub mailer: Arc<dyn Mailer>,
    pub metrics: Metrics,
    pub audit: web::Data<audit::Service>,
    pub tenants: web::Data<tenants::Service>,
    pub users: web::Data<users::Service>,
    pub auth: web::Data<auth::Service>,
    pub credentials: web::Data<credentials::Service>,
    pub data_tables: web::Data<data_tables::Service>,
    pub nodes: web::Data<nodes::Service>,
    pub workflows: web::Data<workflows::Service>,
    pub executions: web::Data<executions::Service>,
    pub schedules: web::Data<scheduling::Service>,
    pub triggers: web::Data<scheduling::Triggers>,
    pub webhooks: web::Data<webhooks::Service>,
    pub integrations: web::Data<integrations::Service>,
    pub subscriptions: web::Data<webhooks::Subscriptions>,
    webhook_routes: webhooks::Registry,
    authenticator: web::Data<dyn Authenticator>,
    administrators: web::Data<dyn AdministratorRoll>,
    idempotency_keys: web::Data<IdempotencyKeys>,
    fallback: web::Data<Fallback>,
    probes: web::Data<Probes>,
    document: web::Data<Document>,
}

/// The OpenAPI document as it is sent: one, however many threads answer.
struct Document(Bytes);

/// The app cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the database cannot be opened")]
    Database(#[from] crate::infrastructure::database::Error),
    #[error(transparent)]
    Keys(#[from] crate::infrastructure::crypto::KeyError),
    #[error(transparent)]
    Passwords(#[from] crate::infrastructure::crypto::PasswordError),
    #[error(transparent)]
    Credentials(#[from] credentials::StartError),
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error("TLS for outbound requests cannot be set up")]
    HttpClient(#[from] TlsError),
    #[error(transparent)]
    Storage(#[from] storage::StartError),
    #[error(transparent)]
    Mail(#[from] mail::ConfigError),
    #[error("this process cannot be made known as a worker")]
    Worker(#[from] executions::Error),
    #[error("the OpenAPI document cannot be written")]
    Document(#[from] serde_json::Error),
    #[error("metrics cannot be recorded")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

impl App {
    /// Opens what the configuration names, migrates where it says so, and builds every module.
    pub async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<App, BuildError> {
        let mailer = mail::open(&config.mail)?;
        App::build_with(config, clock, mailer).await
    }

    /// [`App::build`] with another way out for mail.
    pub async fn build_with(config: Config, clock: Arc<dyn Clock>, mailer: Arc<dyn Mailer>) -> Result<App, BuildError> {
        // Everything that is opened on the way lives in this future: too much for a stack.
        Box::pin(App::assemble(config, clock, mailer)).await
    }

    async fn assemble(config: Config, clock: Arc<dyn Clock>, mailer: Arc<dyn Mailer>) -> Result<App, BuildError> {
        let metrics = Metrics::install()?;
        let keys = Keys::open(&config.data.directory)?;
        let database = Database::open(&config).await?;
        if config.database.migrate_on_start {
            database.migrate().await?;
        }
        let cache = cache::open(&config.cache)?;
        let queue = queue::open(&config.queue, &database);
        let events = Bus::new(database.clone(), Arc::clone(&cache), Arc::clone(&clock));
        events.learn_once().await;
        let http_client = HttpClient::new(config.http_client.clone())?;

        let storage = storage::open(&config, &http_client).await?.map(|storage| (storage, config.storage.inline_bytes));

        let idempotency_keys = IdempotencyKeys::new(database.clone(), Arc::clone(&clock));
        let audit = audit::Service::new(
            database.clone(),
            Arc::clone(&clock),
            events.clone(),
            keys.audit_chain,
            &keys.audit_signing,
        );
        let egress = EgressPolicy::clone(http_client.default_policy());
        let public_url = config.public_url();
        let tenants = tenants::Service::new(
            database.clone(),
            Arc::clone(&clock),
            audit.clone(),
            &config.tenants,
            config.queue.all_pools(),
            egress,
            &public_url,
        );
        let subscriptions = webhooks::Subscriptions::new(
            webhooks::SubscriptionDependencies {
                database: database.clone(),
                clock: Arc::clone(&clock),
                events: events.clone(),
                audit: audit.clone(),
                tenants: tenants.clone(),
                http: http_client.clone(),
            },
            &keys.webhook_secrets,
        );
        let passwords = Passwords::new(&config.auth)?;
        let users = users::Service::new(users::Dependencies {
            database: database.clone(),
            clock: Arc::clone(&clock),
            audit: audit.clone(),
            tenants: tenants.clone(),
            passwords: passwords.clone(),
            mailer: Arc::clone(&mailer),
            password_min_length: config.auth.password_min_length,
            public_url: public_url.clone(),
        });
        let auth = auth::Service::new(
            config.auth.clone(),
            auth::Dependencies {
                database: database.clone(),
                cache: Arc::clone(&cache),
                clock: Arc::clone(&clock),
                audit: audit.clone(),
                tenants: tenants.clone(),
                users: users.clone(),
                passwords,
                mailer: Arc::clone(&mailer),
                http: http_client.clone(),
                secret: keys.auth,
                public_url: public_url.clone(),
            },
        );
        let credentials = credentials::Service::open(
            &config,
            database.clone(),
            Arc::clone(&clock),
            audit.clone(),
            (tenants.clone(), users.clone()),
            http_client.clone(),
        )
        .await?;
        let data_tables = data_tables::Service::new(database.clone(), Arc::clone(&clock), audit.clone());
        let runs = config.server.roles.contains(&Role::Worker);
        let workflows =
            workflows::Service::new(database.clone(), Arc::clone(&clock), audit.clone(), tenants.clone(), &public_url);
        credentials.plug(Arc::new(workflows.clone()));
        let mails = notifications::Mails::new(users.clone(), Arc::clone(&mailer), &public_url);
        let followers = notifications::Followers::new(events.clone(), Arc::clone(&clock));
        credentials.plug_listeners(vec![Arc::new(mails), Arc::new(followers)]);
        let programs = executions::Programs::new(workflows.clone(), tenants.clone(), &public_url);
        let webhook_routes =
            webhooks::Registry::new(database.clone(), Arc::clone(&clock), Arc::clone(&cache), &keys.webhook_secrets);
        workflows.plug(vec![
            Arc::new(programs.clone()),
            Arc::new(webhook_routes.clone()),
            Arc::new(scheduling::Activations::new(Arc::clone(&clock), &config.executions.timezone)),
            Arc::new(scheduling::TriggerActivations::new(database.clone(), Arc::clone(&clock), events.clone())),
        ]);
        let executor = executions::Executor::new(
            executions::Dependencies {
                database: database.clone(),
                clock: Arc::clone(&clock),
                cache: Arc::clone(&cache),
                queue: Arc::clone(&queue),
                events: events.clone(),
                http: http_client.clone(),
                storage,
                credentials: credentials.clone(),
                data_tables: data_tables.clone(),
                programs,
                config: config.executions.clone(),
                env: visible_environment(&config.expressions),
                public_url: public_url.clone(),
                drain: config.drain(),
            },
            runs,
        );
        if runs {
            executor.enlist(database.is_alone()).await?;
        }
        let gauge = Arc::new(executor.clone());
        let executions = executions::Service::new(database.clone(), audit.clone(), workflows.clone(), executor);
        let schedules = scheduling::Service::new(
            database.clone(),
            Arc::clone(&clock),
            audit.clone(),
            workflows.clone(),
            executions.clone(),
            config.scheduling.clone(),
            &config.executions.timezone,
        );
        let triggers = scheduling::Triggers::new(scheduling::TriggerDependencies {
            database: database.clone(),
            clock: Arc::clone(&clock),
            tenants: tenants.clone(),
            credentials: credentials.clone(),
            executions: executions.clone(),
            events: events.clone(),
            http: http_client.clone(),
        });
        let sources: Vec<Arc<dyn tenants::ArchiveSource>> = vec![
            Arc::new(users.clone()),
            Arc::new(credentials.clone()),
            Arc::new(workflows.clone()),
            Arc::new(executions.clone()),
            Arc::new(schedules.clone()),
            Arc::new(data_tables.clone()),
        ];
        tenants.plug(gauge, sources);
        let webhooks = webhooks::Service::new(
            &config,
            webhooks::Dependencies {
                database: database.clone(),
                cache: Arc::clone(&cache),
                clock: Arc::clone(&clock),
                deliveries: idempotency_keys.clone(),
                audit: audit.clone(),
                credentials: credentials.clone(),
                tenants: tenants.clone(),
                workflows: workflows.clone(),
                executions: executions.clone(),
                registry: webhook_routes.clone(),
            },
        );
        let integrations = integrations::Service::new(
            credentials.clone(),
            workflows.clone(),
            tenants.clone(),
            audit.clone(),
            http_client.clone(),
        );
        let auth = web::Data::new(auth);
        users.plug(auth.clone().into_inner());
        let authenticator: Arc<dyn Authenticator> = Arc::new(auth::RequestAuthenticator::new(
            auth.clone().into_inner(),
            Arc::clone(&cache),
            config.limits.clone(),
        ));
        let administrators: Arc<dyn AdministratorRoll> = Arc::new(users.clone());
        let document = openapi_document();
        Ok(App {
            probes: web::Data::new(Probes(vec![
                Arc::new(DatabaseProbe(database.clone())),
                Arc::new(CacheProbe(Arc::clone(&cache))),
                Arc::new(QueueProbe(Arc::clone(&queue))),
            ])),
            fallback: web::Data::new(Fallback::new(&document)),
            document: web::Data::new(Document(serde_json::to_vec(&document).map(Bytes::from)?)),
            config: Arc::new(config),
            database,
            cache,
            queue,
            events,
            http_client,
            mailer,
            metrics,
            audit: web::Data::new(audit),
            tenants: web::Data::new(tenants),
            users: web::Data::new(users),
            auth,
            credentials: web::Data::new(credentials),
            data_tables: web::Data::new(data_tables),
            nodes: web::Data::new(nodes::Service::new()),
            workflows: web::Data::new(workflows),
            executions: web::Data::new(executions),
            schedules: web::Data::new(schedules),
            triggers: web::Data::new(triggers),
            webhooks: web::Data::new(webhooks),
            integrations: web::Data::new(integrations),
            subscriptions: web::Data::new(subscriptions),
            webhook_routes,
            authenticator: web::Data::from(authenticator),
            administrators: web::Data::from(administrators),
            idempotency_keys: web::Data::new(idempotency_keys),
        })
    }

    /// What handlers take by `web::Data`.
    fn register(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(web::Data::new(BodyLimit {
                bytes: self.config.server.body_limit_bytes,
                time: Duration::from_secs(self.config.server.body_timeout_seconds),
            }))
            .app_data(web::Data::new(TrustedProxies(self.config.server.trusted_proxies.clone())))
            .app_data(path_config())
            .app_data(query_config())
            .app_data(self.audit.clone())
            .app_data(self.tenants.clone())
            .app_data(self.users.clone())
            .app_data(self.administrators.clone())
            .app_data(self.auth.clone())
            .app_data(self.credentials.clone())
            .app_data(self.data_tables.clone())
            .app_data(self.nodes.clone())
            .app_data(self.workflows.clone())
            .app_data(self.executions.clone())
            .app_data(self.schedules.clone())
            .app_data(self.triggers.clone())
            .app_data(self.webhooks.clone())
            .app_data(self.integrations.clone())
            .app_data(self.subscriptions.clone())
            .app_data(web::Data::new(webhooks::BodyLimits {
                bytes: self.config.server.webhook_body_limit_bytes,
                time: Duration::from_secs(self.config.webhooks.body_timeout_seconds),
            }))
            .app_data(self.authenticator.clone())
            .app_data(self.idempotency_keys.clone());
    }

    fn register_operations(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(web::Data::new(self.config.server.clone()))
            .app_data(self.fallback.clone())
            .app_data(self.probes.clone());
        if self.config.metrics.enabled {
            config.app_data(web::Data::new(self.metrics.clone()));
        }
    }
}

/// The HTTP application of a process with the role `api`; the same for the server and for tests.
pub fn create_app(
    app: &App,
) -> actix_web::App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    actix_web::App::new()
        .into_utoipa_app()
        .configure(|config| routes(config, &app.config.server.cors_origins))
        .into_app()
        .configure(|config| app.register(config))
        .configure(|config| app.register_operations(config))
        .configure(webhooks::configure)
        .configure(credentials::configure_pages)
        .configure(auth::configure_pages)
        .route("/", web::get().to(redirect_to_docs))
        .route("/api-docs", web::get().to(redirect_to_docs))
        .app_data(app.document.clone())
        .route(DOCUMENT, web::get().to(send_document))
        .service(SwaggerUi::new("/api-docs/{_:.*}").config(utoipa_swagger_ui::Config::from(DOCUMENT)))
        .default_service(web::to(Fallback::answer))
        .wrap(Compress::default())
        .wrap(from_fn(envelope))
}

/// What a process without the role `api` answers: health and metrics.
pub fn create_operations_app(
    app: &App,
) -> actix_web::App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    actix_web::App::new()
        .into_utoipa_app()
        .configure(operations)
        .into_app()
        .configure(|config| app.register_operations(config))
        .default_service(web::to(Fallback::answer))
        .wrap(from_fn(envelope))
}

/// The OpenAPI document of every route. Needs no database.
pub fn openapi_document() -> OpenApi {
    let routes =
        actix_web::App::new().into_utoipa_app().openapi(openapi::base()).configure(|config| routes(config, &[]));
    openapi::finish(routes.split_for_parts().1)
}

/// The whole URL map. Pages of these origins may call the API.
fn routes(config: &mut ServiceConfig, cors_origins: &[String]) {
    let api = utoipa_actix_web::scope("/api/v1")
        .wrap(from_fn(idempotency))
        .wrap(from_fn(authenticate))
        .wrap(cors(cors_origins));
    // Before the scope that has the beginning of its path.
    let receivers = utoipa_actix_web::scope("/api/v1/webhooks/n8n").wrap(cors(cors_origins));
    config.service(receivers.configure(webhooks::configure_receivers));
    config.service(api.configure(|config| {
        auth::configure(config);
        tenants::configure(config);
        users::configure(config);
        data_tables::configure(config);
        audit::configure(config);
        credentials::configure(config);
        nodes::configure(config);
        workflows::configure(config);
        executions::configure(config);
        scheduling::configure(config);
        webhooks::configure_api(config);
        integrations::configure(config);
    }));
    auth::configure_root(config);
    operations(config);
}

fn operations(config: &mut ServiceConfig) {
    config.service(get_liveness).service(get_readiness).service(get_metrics);
}

/// The variables that expressions may read: those of this process's environment that are allowed, and those configured.
fn visible_environment(config: &config::Expressions) -> Arc<Object> {
    let allowed =
        config.env_allow.iter().filter_map(|name| Some((name.as_str().into(), std::env::var(name).ok()?.into())));
    let own = config.env.iter().filter_map(|variable| variable.expose().split_once('='));
    Arc::new(allowed.chain(own.map(|(name, value)| (name.into(), value.into()))).collect())
}

/// Where the OpenAPI document is.
const DOCUMENT: &str = "/api-docs/openapi.json";

async fn send_document(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(document.0.clone())
}

async fn redirect_to_docs() -> HttpResponse {
    HttpResponse::Found().insert_header(("location", "/api-docs/")).finish()
}
