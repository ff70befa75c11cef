//! The list of executions with many of them stored: rows are put into the tables directly, then pages are asked for as
//! a client does.

use std::{
    env, fs,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use super::{Plan, http, load, measured::Measured, millrace::Millrace, peer::Peer as _};
use crate::{process, report as say, scratch::Scratch, services};

/// Pages asked for.
const REQUESTS: usize = 500;

/// Clones one row with ids that lie before it in time, one in ten with status `error`.
const FILL_SQLITE: &str = r#"
import os, sqlite3, sys
database, count = sqlite3.connect(sys.argv[1], timeout=60), int(sys.argv[2])
columns = [row[1] for row in database.execute("PRAGMA table_info(executions)")]
row = dict(zip(columns, database.execute("SELECT * FROM executions ORDER BY id LIMIT 1").fetchone()))
first = int.from_bytes(row["id"][:6], "big")
def clones():
    for at in range(1, count + 1):
        row["id"] = (first - at).to_bytes(6, "big") + b"\x70" + os.urandom(1) + b"\x80" + os.urandom(7)
        row["status"] = "error" if at % 10 == 0 else "success"
        yield tuple(row.values())
marks = ",".join("?" * len(columns))
database.executemany(f"INSERT INTO executions ({','.join(columns)}) VALUES ({marks})", clones())
database.commit()
"#;

/// The same for PostgreSQL.
const FILL_POSTGRES: &str = "
DO $$
DECLARE expressions text;
BEGIN
  SELECT string_agg(CASE column_name
    WHEN 'id' THEN '(lpad(to_hex((''x'' || left(replace(id::text, ''-'', ''''), 12))::bit(48)::bigint - n), 12, ''0'')
      || ''7000800'' || lpad(to_hex(n), 13, ''0''))::uuid'
    WHEN 'status' THEN 'CASE WHEN n % 10 = 0 THEN ''error'' ELSE ''success'' END'
    ELSE quote_ident(column_name) END, ',' ORDER BY ordinal_position)
  INTO expressions FROM information_schema.columns WHERE table_name = 'executions' AND table_schema = current_schema();
  EXECUTE 'INSERT INTO executions SELECT ' || expressions
    || ' FROM (SELECT * FROM executions ORDER BY id LIMIT 1) one, generate_series(1, COUNT) n';
END $$;
ANALYZE executions;
";

pub(super) fn measure(plan: &Plan, measured: &mut Measured) -> Result<()> {
    let millrace = Millrace::start()?;
    one_execution(&millrace)?;
    let count = plan.list_rows.to_string();
    let mut fill = Command::new("python3");
    fill.args(["-c", FILL_SQLITE]).arg(millrace.database_file()).arg(&count);
    ensure!(process::run(&mut fill)?.success(), "the rows could not be stored");
    pages(&millrace, "list on SQLite", measured)?;
    drop(millrace);

    match env::var(services::Service::Postgres.variable()) {
        Ok(url) => on_postgres(&url, &count, measured),
        Err(_) => {
            say::progress("no PostgreSQL was named (`eval \"$(cargo xtask services up)\"`): SQLite only");
            Ok(())
        }
    }
}

/// In a database of its own on the server at `url`.
fn on_postgres(url: &str, count: &str, measured: &mut Measured) -> Result<()> {
    let name = format!("millrace_bench_{}", std::process::id());
    psql(url, &format!("CREATE DATABASE {name}"))?;
    let (server, _) = url.rsplit_once('/').context("the URL names no database")?;
    let own = format!("{server}/{name}");
    let mut measure = || -> Result<()> {
        let millrace = Millrace::start_on(Some(&own))?;
        one_execution(&millrace)?;
        psql(&own, &FILL_POSTGRES.replace("COUNT", count))?;
        pages(&millrace, "list on PostgreSQL", measured)
    };
    let outcome = measure();
    psql(url, &format!("DROP DATABASE {name} WITH (FORCE)"))?;
    outcome
}

fn psql(url: &str, sql: &str) -> Result<()> {
    let scratch = Scratch::new("millrace-bench")?;
    let file = scratch.path().join("statements.sql");
    fs::File::create(&file)?.write_all(sql.as_bytes())?;
    let mut psql = Command::new("psql");
    psql.args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file"]).arg(&file).arg(url).stdout(Stdio::null());
    ensure!(process::run(&mut psql)?.success(), "psql failed");
    Ok(())
}

/// So that there is a row to clone, finished and stored.
fn one_execution(millrace: &Millrace) -> Result<()> {
    load::run(&format!("{}/webhook/bench", millrace.url()), 1, 1)?;
    std::thread::sleep(Duration::from_millis(500));
    Ok(())
}

fn pages(millrace: &Millrace, scenario: &str, measured: &mut Measured) -> Result<()> {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("{}/api/v1/executions?status=error&limit=100", millrace.url());
    http::timed_get(&agent, &url, &millrace.key)?;
    let mut times = (0..REQUESTS).map(|_| http::timed_get(&agent, &url, &millrace.key)).collect::<Result<Vec<_>>>()?;
    times.sort();
    let at = |share: usize| times.get(REQUESTS * share / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    say::progress(&format!("{scenario}: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99)));
    measured.add("millrace", scenario, 1, "p50 ms", at(50));
    measured.add("millrace", scenario, 1, "p99 ms", at(99));
    Ok(())
}
