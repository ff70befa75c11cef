//! The first start: makes a tenant with an owner, and shows, once, how to use it.

use std::io::Write;

use super::Error;
use crate::app::App;
use crate::common::error::chain;
use crate::common::{Ctx, Secret};
use crate::domains::auth::{CreateApiKey, Register, Trust};
use crate::domains::users::Email;
use crate::infrastructure::crypto::random_password;
use crate::infrastructure::web::Visitor;

/// Not a real address: the owner changes it, or registers another account.
const OWNER: &str = "owner@example.com";

/// Does nothing where there is a tenant already.
pub(super) async fn greet_if_empty(app: &App) -> Result<(), Error> {
    if !app.tenants.none_exists().await.map_err(failed)? {
        return Ok(());
    }
    let password = random_password().map_err(failed)?;
    let visitor = Visitor::server();
    let register = Register {
        email: OWNER.to_owned(),
        password: password.clone(),
        name: Some("Owner".to_owned()),
        tenant_name: "Main".to_owned(),
        tenant_slug: Some("main".to_owned()),
    };
    let ctx = app.auth.sign_up(&visitor, register, Trust::AtOnce).await.map_err(failed)?.ctx;
    appoint(app, &ctx).await?;
    let key =
        CreateApiKey { name: "first start".to_owned(), permissions: None, expires_at: None, requests_per_minute: None };
    let key = app.auth.create_api_key(&ctx, key).await.map_err(failed)?;
    write(&app.config.public_url(), &password, &key.key)?;
    Ok(())
}

/// Who starts the first server administers the platform.
async fn appoint(app: &App, ctx: &Ctx) -> Result<(), Error> {
    let Some((user, _)) = app.users.find_by_email(&Email::new(OWNER)).await.map_err(failed)? else { return Ok(()) };
    let transaction = app.database.begin(ctx).await?;
    app.users.appoint(&transaction, ctx, user).await.map_err(failed)?;
    transaction.commit().await?;
    Ok(())
}

fn write(url: &str, password: &Secret<String>, key: &str) -> std::io::Result<()> {
    let password = password.expose();
    let json = "-H 'Content-Type: application/json'";
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "
  Millrace is ready. This is shown once.

  API         {url}/api/v1
  Swagger UI  {url}/api-docs
  Login       {OWNER}
  Password    {password}
  API key     {key}

  Import a workflow, activate it, call its webhook:

  ID=$(curl -s {url}/api/v1/workflows/import -H 'X-API-Key: {key}' {json} -d @examples/hello-webhook.json | grep -o '\"id\":\"[^\"]*' | head -1 | cut -d'\"' -f4)
  curl -s -X POST {url}/api/v1/workflows/$ID/activate -H 'X-API-Key: {key}'
  curl -s {url}/webhook/hello {json} -d '{{\"name\":\"Ann\"}}'
"
    )?;
    stdout.flush()
}

fn failed(error: impl std::error::Error + 'static) -> Error {
    Error::FirstRun(chain(&error))
}
