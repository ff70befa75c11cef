//! `millrace admin`: says who administers the platform. For whoever has the server's files, such as for the first one.

use std::io::Write;
use std::sync::Arc;

use super::Error;
use crate::app::App;
use crate::common::error::chain;
use crate::common::{Ctx, SystemClock};
use crate::domains::users::Email;
use crate::infrastructure::config::Config;
use crate::infrastructure::database::AcrossTenants;

/// Say who administers the platform.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make the person with this e-mail address an administrator.
    Grant { email: String },
    /// List the administrators.
    List,
}

pub(super) fn run(config: Config, args: &Args) -> Result<(), Error> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let app = App::build(config, Arc::new(SystemClock)).await?;
        match &args.command {
            Command::Grant { email } => grant(&app, email).await?,
            Command::List => list(&app).await?,
        }
        Ok(app.database.close().await?)
    })
}

async fn grant(app: &App, email: &str) -> Result<(), Error> {
    let found = app.users.find_by_email(&Email::new(email)).await.map_err(failed)?;
    let Some((user, memberships)) = found else {
        return Err(Error::Input(format!("nobody has an account with the address \"{email}\"")));
    };
    let Some(home) = memberships.first() else {
        return Err(Error::Input(format!("\"{email}\" is a member of no tenant and could not sign in")));
    };
    let transaction = app.database.begin(AcrossTenants).await?;
    app.users.appoint(&transaction, &Ctx::system(home.tenant), user).await.map_err(failed)?;
    transaction.commit().await?;
    writeln!(std::io::stdout(), "{email} administers the platform")?;
    Ok(())
}

async fn list(app: &App) -> Result<(), Error> {
    for administrator in app.users.administrators().await.map_err(failed)? {
        writeln!(std::io::stdout(), "{} since {}", administrator.email, administrator.since)?;
    }
    Ok(())
}

fn failed(error: impl std::error::Error + 'static) -> Error {
    Error::Failed(chain(&error))
}
