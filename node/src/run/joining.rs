//! Beginning an empty data folder from a snapshot, before there is a chain: a mesh of its own to ask by, then the restore.

use super::{Node, RunError, Stores, peering::Peering};
use crate::{
    config::JoinFrom,
    join::Joining,
    limits,
    membership::Membership,
    network::{self, Mesh, MeshConfig, MeshEvents, NodeId},
};
use probata_ledger::{DiskStorage, Restore, Setup, SnapshotFiles, holds_blocks, restore};
use std::{cell::Cell, path::PathBuf, sync::Arc, time::Instant};
use tokio::task::JoinSet;

/// The folder in which a snapshot is gathered.
const FOLDER: &str = "join";

impl Node {
    /// Fills the stores from a snapshot of peers, if the configuration says so and they are empty.
    ///
    /// # Errors
    /// [`RunError`].
    pub(super) async fn begin(&self, stores: &Stores) -> Result<(), RunError> {
        let folder = self.config.data.join(FOLDER);
        let (storage, _) = stores;
        let empty = !holds_blocks(&**storage).map_err(crate::join::JoinError::from)?;
        if !empty || self.config.join.from != JoinFrom::Snapshot {
            return remove(folder).await;
        }
        let started = Instant::now();
        let files = DiskStorage::open(&folder).map_err(|error| self.refused(&error))?;
        let files = SnapshotFiles::new(Arc::new(files));
        let Mesh { handle, events, mut task } = self.mesh_to_join_by()?;
        let joining = Joining {
            mesh: handle.clone(),
            genesis: Arc::clone(&self.genesis),
            files: files.clone(),
            expected: self.config.join.block,
            metrics: Arc::clone(&self.metrics),
            patience: limits::JOIN_PATIENCE,
        };
        let drains = drain(events);
        let gathered = joining.gather().await?;
        drop(drains);
        // Its addresses are those of the mesh that follows.
        handle.stop();
        let _ = tokio::time::timeout(limits::MESH_WAIT, &mut task).await;
        if gathered {
            self.restore(stores, files).await?;
            let seconds = started.elapsed().as_secs();
            tracing::info!(seconds, "the snapshot is restored; older blocks are fetched behind");
        } else {
            tracing::warn!("beginning from the first block: no peer has a snapshot");
            drop((files, joining));
        }
        remove(folder).await
    }

    /// Talks to the nodes that genesis names, wherever they have moved since.
    fn mesh_to_join_by(&self) -> Result<Mesh, RunError> {
        let peering = Peering::new(&self.config, NodeId::from_secret(*self.secret))?;
        let membership = Membership::read(&self.genesis.initial_state(), self.genesis.suite())
            .map_err(crate::chain::ChainError::from)?;
        Ok(network::start(MeshConfig {
            secret: *self.secret,
            listen: self.config.mesh.listen.clone(),
            peers: peering.peers_to_join_by(&membership, &self.config.join.peers),
            chain: self.genesis.chain().0,
        })?)
    }

    async fn restore(&self, stores: &Stores, files: SnapshotFiles) -> Result<(), RunError> {
        let (storage, store) = stores.clone();
        let (genesis, expected) = (Arc::clone(&self.genesis), self.config.join.block);
        let restored = tokio::task::spawn_blocking(move || {
            let setup = Setup {
                storage,
                store,
                suite: genesis.suite(),
                chain: genesis.chain(),
                initial: genesis.initial_state(),
            };
            let said = Cell::new(0);
            let progress = |done: usize, of: usize| {
                if done - said.get() >= limits::PROGRESS_CHUNKS || done == of {
                    said.set(done);
                    tracing::info!(done, of, "restoring the chunks of a snapshot");
                }
            };
            restore(&Restore { setup: &setup, from: &files, expected, progress: &progress })
        });
        let restored = restored.await.map_err(|_| RunError::Thread("restoring"))?;
        restored.map(drop).map_err(|error| RunError::Join(error.into()))
    }

    fn refused(&self, error: &dyn std::fmt::Display) -> RunError {
        RunError::Data { path: self.config.data.clone(), reason: error.to_string() }
    }
}

/// Takes what peers send meanwhile and lets it go: there is no chain yet to hand it to. A request whose answer is let go is
/// refused, and asked of another.
fn drain(events: MeshEvents) -> JoinSet<()> {
    let MeshEvents { mut peers, mut consensus, mut bulk, mut requests } = events;
    let mut drains = JoinSet::new();
    drains.spawn(async move { while peers.recv().await.is_some() {} });
    drains.spawn(async move { while consensus.recv().await.is_some() {} });
    drains.spawn(async move { while bulk.recv().await.is_some() {} });
    drains.spawn(async move { while requests.recv().await.is_some() {} });
    drains
}

/// Removes what was gathered: it is restored, or no longer wanted.
async fn remove(folder: PathBuf) -> Result<(), RunError> {
    match tokio::fs::remove_dir_all(&folder).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RunError::Data { path: folder, reason: error.to_string() })
        }
        _ => Ok(()),
    }
}
