//! PostgreSQL from local binaries: a fresh cluster, no fsync, and a role that is not a superuser.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::{
    ROLE, Server, Service,
    local::{Local, program, stop_signal},
    probe::free_port,
};
use crate::process::{self, Daemon};

/// Data is thrown away, so nothing waits for the disk; every test opens connections of its own.
const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=400",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
    "timezone=UTC",
];

/// The directory with `initdb` and `postgres`. Debian keeps it off the search path, one per version.
pub(super) fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").is_file());
    let on_path = || program("initdb").and_then(|initdb| initdb.canonicalize().ok()?.parent().map(Path::to_path_buf));
    newest(installed.collect()).or_else(on_path)
}

/// The directory `…/<version>/bin` with the highest version number.
pub(super) fn newest(directories: Vec<PathBuf>) -> Option<PathBuf> {
    let version =
        |path: &PathBuf| -> Option<u32> { path.parent()?.file_name()?.to_str()?.split('.').next()?.parse().ok() };
    directories.into_iter().filter(|path| version(path).is_some()).max_by_key(version)
}

pub(super) fn spawn(directory: &Path) -> Result<Local> {
    let binaries = binaries().context("no initdb")?;
    let account = Account::needed()?;
    let data = directory.join("data");
    fs::create_dir(&data)?;
    if let Some(account) = &account {
        chown(&data, Some(account.user), Some(account.group))?;
    }
    let program = |name: &str| {
        let mut command = Command::new(binaries.join(name));
        command.arg("-D").arg(&data).current_dir(directory);
        if let Some(account) = &account {
            command.uid(account.user).gid(account.group);
        }
        command
    };
    let initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"];
    finish(program("initdb").args(initdb), "")?;
    let statements = format!(
        "CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE PASSWORD '{ROLE}'\nCREATE DATABASE {ROLE} OWNER {ROLE}\n"
    );
    // `--single` must come first.
    let mut single = Command::new(binaries.join("postgres"));
    single.arg("--single").args(program("postgres").get_args()).args(["-F", "postgres"]).current_dir(directory);
    if let Some(account) = &account {
        single.uid(account.user).gid(account.group);
    }
    finish(&mut single, &statements)?;
    let port = free_port()?;
    let mut command = program("postgres");
    command.args(["-p", &port.to_string()]).args(SETTINGS.iter().flat_map(|setting| ["-c", *setting]));
    let log = directory.join("log");
    let daemon = Daemon::spawn(&mut command, &log, stop_signal(Service::Postgres))?;
    let server =
        Server { service: Service::Postgres, url: format!("postgres://{ROLE}:{ROLE}@127.0.0.1:{port}/{ROLE}") };
    Ok(Local { server, log, daemons: vec![daemon], command })
}

/// Runs a preparing program with `input`, and shows what it wrote when it fails.
fn finish(command: &mut Command, input: &str) -> Result<()> {
    let (status, text) = process::converse(command, input)?;
    // A statement that fails in single-user mode does not fail the program.
    ensure!(status.success() && !text.contains("ERROR:"), "{} failed:\n{text}", process::describe(command));
    Ok(())
}

/// An account that is not root's: PostgreSQL refuses to run as root.
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    fn needed() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        let find = |name: &str| {
            let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some(Self { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
        };
        find(ROLE_OF_DEBIAN).or_else(|| find("nobody")).map(Some).context("no account `postgres` or `nobody` to run as")
    }
}

/// The account that Debian's packages make.
const ROLE_OF_DEBIAN: &str = "postgres";
