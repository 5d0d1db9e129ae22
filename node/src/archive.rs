//! The archive of old segments, in whatever `object_store` reaches: a folder, or a bucket.
//!
//! The ledger asks and waits; what it asks runs on a thread of the archive's own. Nobody waits longer than the limits say,
//! even if the disk or the network hangs: an archive that does not answer is left alone for a while, and few may wait for it
//! at once.

mod command;

pub use command::{ArchiveArguments, archive};

use crate::{config, limits};
use object_store::{
    ObjectStore, ObjectStoreExt as _, ObjectStoreScheme, PutPayload, local::LocalFileSystem,
    path::Path,
};
use probata_ledger::{Archive, NoArchive};
use reqwest::Url;
use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::Semaphore};

/// What an archive's URL must be, for those who wrote another one.
#[cfg(feature = "s3")]
const EXPECTED: &str =
    "a folder (\"file:///srv/probata\") or a bucket with a prefix (\"s3://bucket/probata\")";
#[cfg(not(feature = "s3"))]
const EXPECTED: &str = "a folder (\"file:///srv/probata\"); this program was built without buckets";

/// Whether there can be an archive at a URL.
///
/// # Errors
/// What it must be.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    let url = Url::parse(url).map_err(|_| EXPECTED)?;
    match ObjectStoreScheme::parse(&url) {
        Ok((ObjectStoreScheme::Local, path)) if !path.is_root() => Ok(()),
        #[cfg(feature = "s3")]
        Ok((ObjectStoreScheme::AmazonS3, _)) => Ok(()),
        _ => Err(EXPECTED),
    }
}

/// The archive of a configuration. Nothing is asked of it yet.
///
/// # Errors
/// What is wrong with it.
pub fn open(config: Option<&config::Archive>) -> io::Result<Arc<dyn Archive>> {
    match config {
        None => Ok(Arc::new(NoArchive)),
        Some(config) => Ok(Arc::new(ObjectArchive::open(&config.url)?)),
    }
}

/// An archive in an object store.
pub struct ObjectArchive {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The folder, if it is one. It is not made here: a disk that is not mounted must not be taken for an empty archive.
    folder: Option<PathBuf>,
    /// `Some` until it is dropped.
    runtime: Option<Runtime>,
    reads: Arc<Semaphore>,
    rests_until: Mutex<Option<Instant>>,
}

impl ObjectArchive {
    /// The archive at a URL.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn open(url: &str) -> io::Result<Self> {
        check_url(url).map_err(io::Error::other)?;
        let url = Url::parse(url).map_err(io::Error::other)?;
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = if url.scheme() == "file" {
            let (_, prefix) = ObjectStoreScheme::parse(&url).map_err(io::Error::other)?;
            (Arc::new(LocalFileSystem::new().with_fsync(true)), prefix)
        } else {
            let (store, prefix) = object_store::parse_url_opts(&url, std::env::vars())?;
            (store.into(), prefix)
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("archive")
            .max_blocking_threads(limits::ARCHIVE_READS)
            .enable_all()
            .build()?;
        Ok(Self {
            store,
            prefix,
            folder: url.to_file_path().ok(),
            runtime: Some(runtime),
            reads: Arc::new(Semaphore::new(limits::ARCHIVE_READS)),
            rests_until: Mutex::new(None),
        })
    }

    fn path(&self, object: &str) -> io::Result<Path> {
        Path::parse(format!("{}/{object}", self.prefix)).map_err(io::Error::other)
    }

    /// Does something on the archive's own thread, and waits for it as long as it may take.
    fn wait<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        if let Some(until) = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
            && Instant::now() < until
        {
            return Err(io::Error::other(
                "it did not answer in time, and is not asked for a while",
            ));
        }
        let permit = Arc::clone(&self.reads).try_acquire_owned();
        let permit = permit.map_err(|_| io::Error::other("too many wait for it already"))?;
        let runtime = self.runtime.as_ref().expect("it is there until the archive is dropped");
        let (done, result) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            let result = work.await;
            // Until here it takes its place, whether anybody still waits or not.
            drop(permit);
            let _ = done.send(result);
        });
        match result.recv_timeout(limit) {
            Ok(result) => result.map_err(io::Error::from),
            Err(_) => {
                let until = Instant::now() + limits::ARCHIVE_REST;
                *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
                Err(io::Error::other(format!("it did not answer within {limit:?}")))
            }
        }
    }
}

impl Archive for ObjectArchive {
    fn put(&self, object: &str, bytes: Vec<u8>) -> io::Result<()> {
        if let Some(folder) = self.folder.as_ref().filter(|folder| !folder.is_dir()) {
            let what = format!(
                "there is no folder {}: mount its disk, or make the folder",
                folder.display()
            );
            return Err(io::Error::new(io::ErrorKind::NotFound, what));
        }
        let (store, path) = (Arc::clone(&self.store), self.path(object)?);
        self.wait(limits::ARCHIVE_SEGMENT_TIME, async move {
            store.put(&path, PutPayload::from(bytes)).await.map(drop)
        })
    }

    fn read(&self, object: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let (store, path) = (Arc::clone(&self.store), self.path(object)?);
        let window = length as u64 <= probata_ledger::limits::ARCHIVE_WINDOW_BYTES;
        let limit = if window { limits::ARCHIVE_READ_TIME } else { limits::ARCHIVE_SEGMENT_TIME };
        let end = offset.checked_add(length as u64).ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = self.wait(limit, async move { store.get_range(&path, offset..end).await })?;
        Ok(bytes.to_vec())
    }
}

impl Drop for ObjectArchive {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // What hangs is not waited for.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests;
