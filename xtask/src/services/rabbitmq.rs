//! RabbitMQ from local binaries, with a port mapper (epmd) of its own, so that no other Erlang node sees it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{
    Server, Service,
    local::{Local, program, stop_signal},
    probe::free_port,
};
use crate::process::Daemon;

/// `rabbitmq-server` and `epmd`. Debian's script of that name on the search path changes the user; the real one does not.
pub(super) fn binaries() -> Option<(PathBuf, PathBuf)> {
    let packaged = Some(PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server")).filter(|path| path.is_file());
    Some((packaged.or_else(|| program("rabbitmq-server"))?, program("epmd").or_else(bundled_epmd)?))
}

pub(super) fn spawn(directory: &Path) -> Result<Local> {
    let (server, epmd) = binaries().context("no rabbitmq-server")?;
    let (port, epmd_port, distribution_port) = (free_port()?, free_port()?, free_port()?);
    fs::write(directory.join("enabled_plugins"), "[].\n")?;
    fs::write(directory.join("rabbitmq-env.conf"), "")?;
    let config = format!(
        "listeners.tcp.default = 127.0.0.1:{port}\nlog.console = true\nlog.console.level = info\n\
         disk_free_limit.absolute = 10MB\nraft.wal_max_size_bytes = 32000000\n"
    );
    fs::write(directory.join("rabbitmq.conf"), config)?;

    let mut mapper = Command::new(epmd);
    mapper.args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()]);
    let mapper = Daemon::spawn(&mut mapper, &directory.join("epmd.log"), stop_signal(Service::RabbitMq))?;

    let mut command = Command::new(server);
    command.env_clear().envs(environment(directory, epmd_port, distribution_port)).current_dir(directory);
    let log = directory.join("log");
    let broker = Daemon::spawn(&mut command, &log, stop_signal(Service::RabbitMq))?;
    let server = Server { service: Service::RabbitMq, url: format!("amqp://guest:guest@127.0.0.1:{port}/%2f") };
    Ok(Local { server, log, daemons: vec![broker, mapper], command })
}

/// The whole environment of the broker: nothing of the machine's own RabbitMQ configuration reaches it.
pub(super) fn environment(directory: &Path, epmd_port: u16, distribution_port: u16) -> Vec<(&'static str, String)> {
    let file = |name: &str| directory.join(name).display().to_string();
    let path = env::var("PATH").unwrap_or_default();
    vec![
        ("PATH", format!("{path}:/usr/sbin:/usr/bin:/sbin:/bin")),
        ("LANG", "C.UTF-8".to_owned()),
        ("HOME", directory.display().to_string()),
        ("ERL_EPMD_PORT", epmd_port.to_string()),
        ("ERL_CRASH_DUMP", file("erl_crash.dump")),
        ("RABBITMQ_NODENAME", format!("millrace{epmd_port}@localhost")),
        ("RABBITMQ_DIST_PORT", distribution_port.to_string()),
        ("RABBITMQ_MNESIA_BASE", file("mnesia")),
        ("RABBITMQ_LOG_BASE", file("logs")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
        ("RABBITMQ_CONF_ENV_FILE", file("rabbitmq-env.conf")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", file("generated")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
        ("RABBITMQ_FEATURE_FLAGS_FILE", file("feature_flags")),
        ("RABBITMQ_PID_FILE", file("pid")),
        // The start script then becomes the broker instead of watching it.
        ("RUNNING_UNDER_SYSTEMD", "1".to_owned()),
        // Idle schedulers sleep instead of spinning on the tests' cores.
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +sbwtdcpu none +sbwtdio none".to_owned()),
    ]
}

/// The port mapper inside an Erlang installation that does not link it onto the search path.
fn bundled_epmd() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/erlang").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/epmd")).find(|epmd| epmd.is_file())
}
