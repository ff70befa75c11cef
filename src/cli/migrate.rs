//! `millrace migrate`: brings the schema up to date, or says what is missing.

use std::io::Write;

use super::Error;
use crate::infrastructure::config::Config;
use crate::infrastructure::database::Database;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only list the migrations that are missing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(config: &Config, args: &Args) -> Result<(), Error> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let database = Database::open(config).await?;
        let pending = database.pending_migrations().await?;
        if !args.dry_run {
            database.migrate().await?;
        }
        let mut stdout = std::io::stdout().lock();
        let done = if args.dry_run { "missing" } else { "applied" };
        for name in &pending {
            writeln!(stdout, "{done}: {name}")?;
        }
        if pending.is_empty() {
            writeln!(stdout, "the schema is up to date")?;
        }
        database.close().await?;
        Ok(())
    })
}
