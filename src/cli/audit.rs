//! `millrace audit verify`: proves every tenant's audit log, or names the first row that is broken.

use std::io::Write;
use std::sync::Arc;

use super::Error;
use crate::app::App;
use crate::common::{Ctx, SystemClock};
use crate::domains::audit::VerificationResponse;
use crate::infrastructure::config::Config;

/// Work on the audit log.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check that every row is as it was written and none is missing.
    ///
    /// Prints one line for each tenant. Exit codes: 0 intact, 1 broken, 2 wrong arguments.
    Verify {
        /// Only this tenant (its slug).
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
    },
}

pub(super) fn run(config: Config, args: &Args) -> Result<(), Error> {
    let Command::Verify { tenant } = &args.command;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(verify(config, tenant.as_deref()))
}

async fn verify(config: Config, only: Option<&str>) -> Result<(), Error> {
    let app = App::build(config, Arc::new(SystemClock)).await?;
    let failed = |error: &dyn std::error::Error| Error::Failed(error.to_string());
    let tenants = app.tenants.all().await.map_err(|error| failed(&error))?;
    if let Some(only) = only
        && !tenants.iter().any(|(_, slug)| slug.as_str() == only)
    {
        return Err(Error::Input(format!("there is no tenant \"{only}\"")));
    }
    let mut broken = 0;
    for (tenant, slug) in tenants.iter().filter(|(_, slug)| only.is_none_or(|only| slug.as_str() == only)) {
        let found = app.audit.verify(&Ctx::system(*tenant)).await.map_err(|error| failed(&error))?;
        writeln!(std::io::stdout(), "{slug}: {}", sentence(&found))?;
        broken += usize::from(!found.intact);
    }
    app.database.close().await?;
    match broken {
        0 => Ok(()),
        1 => Err(Error::Failed("the audit log of a tenant is not as it was written".to_owned())),
        many => Err(Error::Failed(format!("the audit logs of {many} tenants are not as they were written"))),
    }
}

fn sentence(found: &VerificationResponse) -> String {
    match &found.broken {
        None => format!("intact, {} rows, the last is {}", found.verified_rows, found.last_sequence),
        Some(row) => format!("BROKEN at row {}: {}", row.sequence, row.message),
    }
}
