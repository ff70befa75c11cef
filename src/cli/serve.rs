//! `millrace serve`: runs the roles of this process until it is told to stop, then finishes what is in flight.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Error, first_run, tls};
use crate::app::{App, create_app, create_operations_app};
use crate::common::{Clock, SkewedClock, SystemClock};
use crate::infrastructure::config::{Config, Role};
use crate::infrastructure::database::{self, Database};

/// Between two tries to reach the database at the start.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// What this process does (default: all, or `server.roles` of the configuration).
    #[arg(long, value_delimiter = ',', value_name = "ROLE,…")]
    roles: Vec<Role>,
    /// Address to listen on.
    #[arg(long)]
    host: Option<std::net::IpAddr>,
    /// Port to listen on.
    #[arg(long)]
    port: Option<u16>,
    /// The pool that this process runs executions of (default: `executions.pool` of the configuration).
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// Executions that run at the same time.
    #[arg(long, value_name = "N")]
    concurrency: Option<usize>,
}

impl Args {
    /// As `millrace worker` takes them.
    pub(super) fn worker(self) -> Args {
        Args { roles: vec![Role::Worker], ..self }
    }
}

pub(super) fn run(mut config: Config, args: &Args) -> Result<(), Error> {
    if !args.roles.is_empty() {
        config.server.roles.clone_from(&args.roles);
    }
    config.server.host = args.host.unwrap_or(config.server.host);
    config.server.port = args.port.unwrap_or(config.server.port);
    config.executions.concurrency = args.concurrency.unwrap_or(config.executions.concurrency);
    if let Some(pool) = &args.pool {
        let known = config.queue.all_pools();
        if !known.contains(pool) {
            let message = format!("--pool {pool}: queue.pools names no such pool; there are {}", known.join(", "));
            return Err(Error::Input(message));
        }
        config.executions.pool.clone_from(pool);
    }
    #[cfg(target_os = "linux")]
    keep_pages_small();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("millrace").build()?;
    runtime.block_on(serve(config))
}

/// Pages of 2 MB save no time where values are small and many, and are mostly empty.
#[cfg(target_os = "linux")]
fn keep_pages_small() {
    if let Err(error) = nix::sys::prctl::set_thp_disable(true) {
        tracing::debug!(%error, "huge pages cannot be switched off");
    }
}

async fn serve(config: Config) -> Result<(), Error> {
    let clock: Arc<dyn Clock> = match config.chaos.clock_skew_ms {
        0 => Arc::new(SystemClock),
        skew => Arc::new(SkewedClock(skew)),
    };
    // Whoever is called says at once that it cannot answer; whoever is not has nothing better to do than wait.
    if !config.server.roles.contains(&Role::Api) && !wait_for_database(&config).await? {
        return Ok(());
    }
    let app = App::build(config, clock).await?;
    let roles = app.config.server.roles.clone();
    if roles.contains(&Role::Api) && !roles.contains(&Role::Worker) && !app.queue.is_durable() {
        let message = "an API without a worker needs a queue that workers share: PostgreSQL as database, or queue.url";
        return Err(Error::Input(message.to_owned()));
    }
    let (server, address) = listen(&app, &roles)?;
    if roles.contains(&Role::Api) {
        first_run::greet_if_empty(&app).await?;
    }
    let shutdown = CancellationToken::new();
    let background = app.start_background(&roles, &shutdown);
    tracing::info!(?roles, %address, "serving");

    let handle = server.handle();
    let mut server = tokio::spawn(server);
    tokio::select! {
        () = stop_requested() => tracing::info!("stopping; finishing what is in flight"),
        result = &mut server => result.map_err(std::io::Error::other)??,
    }
    shutdown.cancel();
    handle.stop(true).await;
    let grace = Duration::from_secs(app.config.server.shutdown_timeout_seconds);
    if tokio::time::timeout(grace, background.wait()).await.is_err() {
        tracing::warn!("background work did not finish in time; it resumes at the next start");
    }
    app.database.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Waits until the database answers. `false`: the process was told to stop meanwhile.
async fn wait_for_database(config: &Config) -> Result<bool, Error> {
    let mut pause = FIRST_PAUSE;
    loop {
        match Database::open(config).await {
            Ok(database) => {
                database.close().await?;
                return Ok(true);
            }
            Err(error) if database::is_away(&error) => {
                tracing::warn!(%error, again_in_seconds = pause.as_secs(), "the database does not answer; trying again");
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = stop_requested() => return Ok(false),
            () = tokio::time::sleep(pause) => {}
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// The server and the address it listens on.
fn listen(app: &App, roles: &[Role]) -> Result<(Server, SocketAddr), Error> {
    let server = &app.config.server;
    let wanted = SocketAddr::from((server.host, server.port));
    let threads = match server.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let tls = tls::server_config(&server.tls)?;
    macro_rules! bound {
        ($factory:expr) => {{
            let unbound = HttpServer::new($factory)
                .workers(threads)
                .client_request_timeout(Duration::from_secs(server.client_timeout_seconds))
                .client_disconnect_timeout(Duration::from_secs(server.client_timeout_seconds))
                .keep_alive(Duration::from_secs(server.keep_alive_seconds))
                .shutdown_timeout(server.shutdown_timeout_seconds)
                .disable_signals();
            let bound = match tls {
                Some(tls) => unbound.bind_rustls_0_23(wanted, tls),
                None => unbound.bind(wanted),
            };
            let bound = bound.map_err(|source| Error::Listen { address: wanted.to_string(), source })?;
            let address = bound.addrs().first().copied().unwrap_or(wanted);
            (bound.run(), address)
        }};
    }
    let app = app.clone();
    Ok(if roles.contains(&Role::Api) {
        bound!(move || create_app(&app))
    } else {
        bound!(move || create_operations_app(&app))
    })
}

/// Returns on SIGINT (Ctrl-C) or SIGTERM (service managers, containers).
async fn stop_requested() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot listen for SIGTERM");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        result = tokio::signal::ctrl_c() => if let Err(error) = result {
            tracing::warn!(%error, "cannot listen for SIGINT");
            std::future::pending::<()>().await;
        },
        () = terminated => {}
    }
}
