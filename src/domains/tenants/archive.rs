//! Everything of a tenant as one archive (tar, gzip), written as it is read: no matter how much it is, only one page is in
//! memory. Each domain gives its own files ([`ArchiveSource`]).

use std::io::{self, Write};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, Stream};

use super::error::Error;
use super::service::Service;
use crate::common::error::chain;
use crate::common::{Ctx, Cursor, Problem};
use crate::domains::audit::{self, Change};

/// A domain that has something of tenants to give. `app.rs` plugs them in.
#[async_trait]
pub trait ArchiveSource: Send + Sync {
    /// Where its files lie in the archive.
    fn folder(&self) -> &'static str;

    /// Some of its files, after those that an earlier call gave.
    async fn files(&self, ctx: &Ctx, after: Option<Cursor>) -> Result<ArchivePage, Problem>;
}

/// Everyone who has something to give, in the order of the archive.
pub(super) type Sources = Arc<Vec<Arc<dyn ArchiveSource>>>;

/// Some files, and how to ask for more.
#[derive(Debug, Default)]
pub struct ArchivePage {
    pub files: Vec<ArchiveFile>,
    pub next: Option<Cursor>,
}

/// A file of the archive.
#[derive(Debug)]
pub struct ArchiveFile {
    /// Short, without folder: ids and numbers.
    pub name: String,
    pub content: Vec<u8>,
}

/// Why an archive ends before its end. The caller sees a broken connection, the log says why.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the archive cannot be written")]
    Io(#[from] io::Error),
    #[error("the archive cannot be read on: {0}")]
    Source(String),
}

/// How far the writing has come.
struct Progress {
    ctx: Ctx,
    sources: Sources,
    at: usize,
    after: Option<Cursor>,
    archive: GzEncoder<Vec<u8>>,
    seconds: u64,
    audit: audit::Service,
    /// The last audit row written; None: all are.
    audited: Option<i64>,
}

impl Progress {
    /// The audit log comes last: it tells of the export, too.
    async fn add_audit(mut self, after: i64) -> Result<(Bytes, Progress), Broken> {
        let (lines, next) = self.audit.lines(&self.ctx, after).await.map_err(|error| Broken::Source(chain(&error)))?;
        add(&mut self.archive, &format!("audit/{:012}.jsonl", after + 1), &lines, self.seconds)?;
        self.audited = next;
        self.archive.flush()?;
        let written = std::mem::take(self.archive.get_mut());
        Ok((written.into(), self))
    }
}

impl Service {
    /// The caller's tenant as an archive. That somebody took it is recorded before the first byte.
    pub async fn archive(&self, ctx: &Ctx) -> Result<impl Stream<Item = Result<Bytes, Broken>> + use<>, Error> {
        self.audit.note(ctx, Change::new("tenant.export", ctx.tenant)).await?;
        let tenant = self.get(ctx).await?;
        let seconds = u64::try_from(self.clock.now().as_seconds()).unwrap_or_default();
        let mut archive = GzEncoder::new(Vec::new(), Compression::default());
        let content = serde_json::to_vec_pretty(&tenant).map_err(|_| Error::Unreadable)?;
        add(&mut archive, "tenant.json", &content, seconds).map_err(|_| Error::Unreadable)?;
        let sources = Arc::clone(self.archive_sources.get_or_init(Arc::default));
        let progress = Progress {
            ctx: ctx.clone(),
            sources,
            at: 0,
            after: None,
            archive,
            seconds,
            audit: self.audit.clone(),
            audited: Some(0),
        };
        Ok(stream::try_unfold(Some(progress), go_on))
    }
}

/// Writes the files of one page; at the end the end of the archive.
async fn go_on(progress: Option<Progress>) -> Result<Option<(Bytes, Option<Progress>)>, Broken> {
    let Some(mut progress) = progress else { return Ok(None) };
    let Some(source) = progress.sources.get(progress.at).cloned() else {
        if let Some(after) = progress.audited {
            return progress.add_audit(after).await.map(|(bytes, progress)| Some((bytes, Some(progress))));
        }
        // Two blocks of zeros end a tar file (POSIX.1-1988).
        progress.archive.write_all(&[0; 1024])?;
        return Ok(Some((progress.archive.finish()?.into(), None)));
    };
    let page = source.files(&progress.ctx, progress.after).await;
    let page = page.map_err(|problem| Broken::Source(problem.cause.unwrap_or_else(|| problem.code.code.to_owned())))?;
    for file in page.files {
        let path = format!("{}/{}", source.folder(), file.name);
        add(&mut progress.archive, &path, &file.content, progress.seconds)?;
    }
    progress.after = page.next;
    progress.at += usize::from(page.next.is_none());
    progress.archive.flush()?;
    let written = std::mem::take(progress.archive.get_mut());
    Ok(Some((written.into(), Some(progress))))
}

fn add(archive: &mut impl Write, path: &str, content: &[u8], seconds: u64) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_path(path)?;
    header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
    header.set_mode(0o644);
    header.set_mtime(seconds);
    header.set_cksum();
    archive.write_all(header.as_bytes())?;
    archive.write_all(content)?;
    let rest = content.len() % 512;
    if rest > 0 {
        archive.write_all(&vec![0; 512 - rest])?;
    }
    Ok(())
}
