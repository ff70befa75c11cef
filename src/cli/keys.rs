//! `millrace keys`: the keys that encrypt the tenants' data keys. Shows ids, never keys.

use std::io::Write;
use std::sync::Arc;

use super::Error;
use crate::app::App;
use crate::common::SystemClock;
use crate::infrastructure::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Action {
    /// Show the current key's id; fails where a key is missing that the database needs.
    Status,
    /// Make a new key and encrypt every data key with it. Servers go on meanwhile.
    Rotate,
}

pub(super) fn run(config: Config, args: &Args) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let id = runtime.block_on(async {
        let app = App::build(config, Arc::new(SystemClock)).await?;
        let id = match args.action {
            Action::Status => app.credentials.wrapping_key().await?,
            Action::Rotate => app.credentials.rotate_wrapping_key().await?,
        };
        app.database.close().await?;
        Ok::<_, Error>(id)
    })?;
    writeln!(std::io::stdout().lock(), "{id}")?;
    Ok(())
}
