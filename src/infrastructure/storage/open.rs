//! Opens the store that the configuration asks for, and tries it out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::HttpConnector;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use super::{Error, Key, Parts, Storage};
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::config::{self, Config, StorageBackend};
use crate::infrastructure::http_client::HttpClient;

/// How often a request is made again that the service failed to answer.
const RETRIES: usize = 3;
/// A directory that takes longer than this, such as one of a server that is away, counts as away.
const DISK: Duration = Duration::from_secs(60);

/// The store cannot be used; the text names the setting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("storage.directory: {directory} cannot be written: {reason}")]
    Directory { directory: PathBuf, reason: String },
    #[error("storage.s3: the client cannot be set up: {0}")]
    Client(String),
    #[error("storage.s3.bucket: there is no bucket called \"{0}\"")]
    NoBucket(String),
    #[error("storage.s3: the bucket \"{0}\" may not be written with these credentials")]
    Refused(String),
    #[error("storage: its thread cannot be started")]
    Thread(#[from] std::io::Error),
}

/// The store that the configuration asks for. `None`: binaries are kept in the database.
pub async fn open(config: &Config, http: &HttpClient) -> Result<Option<Storage>, StartError> {
    let storage = &config.storage;
    let is_embedded = config.database_url().starts_with("sqlite");
    match storage.backend {
        StorageBackend::Auto if is_embedded => in_directory(config).await.map(Some),
        StorageBackend::FileSystem => in_directory(config).await.map(Some),
        StorageBackend::S3 => in_bucket(&storage.s3, http).await.map(Some),
        StorageBackend::Auto | StorageBackend::Database => Ok(None),
    }
}

async fn in_directory(config: &Config) -> Result<Storage, StartError> {
    let given = &config.storage.directory;
    let directory = match given.as_os_str().is_empty() {
        true => config.data.directory.join("binaries"),
        false => given.clone(),
    };
    let unusable = |reason: String| StartError::Directory { directory: directory.clone(), reason };
    std::fs::create_dir_all(&directory).map_err(|error| unusable(error.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(&directory).map_err(|error| unusable(error.to_string()))?;
    let store = store.with_automatic_cleanup(true);
    let storage = assembled(Arc::new(store), "filesystem", "", DISK)?;
    try_out(&storage).await.map_err(|error| unusable(error.to_string()))?;
    restrict(&directory).map_err(|error| unusable(error.to_string()))?;
    Ok(storage)
}

/// What workflows download is nobody's business on this machine.
fn restrict(directory: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
}

async fn in_bucket(config: &config::S3, http: &HttpClient) -> Result<Storage, StartError> {
    let patience = Duration::from_secs(config.timeout_seconds);
    let connector = http.of_the_operator(patience).map(Connector).map_err(|error| StartError::Client(error.message))?;
    let store = client(config, connector, patience).map_err(|error| StartError::Client(error.to_string()))?;
    let all = patience.saturating_mul(2);
    let storage = assembled(Arc::new(store), "s3", &config.prefix, all)?;
    match try_out(&storage).await {
        Ok(()) => {}
        Err(Error::NotFound) => return Err(StartError::NoBucket(config.bucket.clone())),
        Err(Error::Refused) => return Err(StartError::Refused(config.bucket.clone())),
        // It may come back; until then binaries cannot be stored, and that is said where one should be.
        Err(error) => tracing::error!(%error, "the store of binaries does not answer"),
    }
    Ok(storage)
}

/// Hands out the server's own client.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<object_store::client::HttpClient> {
        Ok(object_store::client::HttpClient::new(self.0.clone()))
    }
}

fn client(config: &config::S3, connector: Connector, patience: Duration) -> object_store::Result<AmazonS3> {
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: patience, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_access_key_id(config.access_key_id.expose())
        .with_secret_access_key(config.secret_access_key.expose())
        .with_virtual_hosted_style_request(!config.path_style)
        .with_retry(retry)
        // Not every service that speaks S3 knows how to delete many at once.
        .with_disable_bulk_delete(true)
        .with_http_connector(connector)
        .with_allow_http(config.endpoint.starts_with("http://"));
    if !config.endpoint.is_empty() {
        builder = builder.with_endpoint(&config.endpoint);
    }
    builder.build()
}

fn assembled(
    store: Arc<dyn ObjectStore>,
    name: &'static str,
    prefix: &str,
    patience: Duration,
) -> Result<Storage, StartError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("millrace-storage")
        .enable_all()
        .build()?;
    let parts = Parts { store, name, prefix: Path::from(prefix), patience, runtime: Some(runtime) };
    Ok(Storage(Arc::new(parts)))
}

/// Writes something and takes it away again.
async fn try_out(storage: &Storage) -> Result<(), Error> {
    let nobody = Key::new(TenantId::from_uuid(uuid::Uuid::nil()), ExecutionId::from_uuid(uuid::Uuid::nil()));
    storage.put(nobody, Bytes::from_static(b"millrace")).await?;
    storage.delete(nobody).await
}
