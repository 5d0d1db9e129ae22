//! The readers: cloneable handles that see whole blocks only.
//!
//! Every answer is given under one read lock, so all of it stands against one head while the writer goes
//! on. The writer takes the lock only to swap in what it has already computed.

use crate::{
    derive::Head,
    error::LedgerError,
    history,
    index::{self, BlockEntry, RecordPlace, SubmissionPlace},
    layers::Layers,
    ledger::{Shared, decode},
    limits::PROOFS,
    log,
    metrics::Counters,
    search::{self, Cursor, Page, Query},
    store::Tree,
    tree,
};
use probata_types::{
    Hash, Header, Height, InstitutionId, RecordId, Seal, SealedBlock, SubmissionId, codec,
    merkle::MerklePath,
    sparse::SparsePath,
    state::{StateKey, StateValue},
    submission::IdempotencyKey,
};
use std::sync::Arc;

/// Read access to what is committed.
#[derive(Clone)]
pub struct LedgerReader {
    shared: Arc<Shared>,
}

/// Proofs, all against one header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proofs {
    /// The header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
    /// For each key asked for, in order: the object, if there is one, and the path to the header's
    /// state root that shows it, or shows that there is none.
    pub states: Vec<(Option<StateValue>, SparsePath)>,
    /// For each height asked for, in order: the path of its header's hash to the header's history root.
    pub history: Vec<MerklePath>,
}

impl LedgerReader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The newest block.
    pub fn head(&self) -> Arc<Head> {
        Arc::clone(&self.shared.read().tip.head)
    }

    /// A block, if it is there.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn block(&self, height: Height) -> Result<Option<SealedBlock>, LedgerError> {
        let Some(entry) = self.entry(height)? else { return Ok(None) };
        let bytes = log::read(&*self.shared.storage, height, entry.place)?;
        decode(entry.place, &bytes).map(Some)
    }

    /// The canonical bytes of a block, if it is there.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn block_bytes(&self, height: Height) -> Result<Option<Vec<u8>>, LedgerError> {
        let Some(entry) = self.entry(height)? else { return Ok(None) };
        Ok(Some(log::read(&*self.shared.storage, height, entry.place)?))
    }

    /// The length of a block in canonical bytes, if it is there.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn block_size(&self, height: Height) -> Result<Option<u32>, LedgerError> {
        Ok(self.entry(height)?.map(|entry| entry.place.length))
    }

    /// The header and seal of a block, if it is there. Its body is not read.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn sealed_header(&self, height: Height) -> Result<Option<(Header, Seal)>, LedgerError> {
        Ok(self.entry(height)?.map(|entry| (entry.header, entry.seal)))
    }

    /// Where a record is: where it was first accepted, or else where it was first rejected.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn record(&self, id: &RecordId) -> Result<Option<RecordPlace>, LedgerError> {
        index::record(&self.shared.read().layers, id)
    }

    /// Where a submission is: where any of its records was first accepted, or else where it first was.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn submission(&self, id: &SubmissionId) -> Result<Option<SubmissionPlace>, LedgerError> {
        index::submission(&self.shared.read().layers, id)
    }

    /// The submission that an institution sent under an idempotency key: the first one of which any
    /// record was accepted, or else the first one.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn by_idempotency(
        &self,
        institution: &InstitutionId,
        key: &IdempotencyKey,
    ) -> Result<Option<SubmissionId>, LedgerError> {
        index::by_idempotency(&self.shared.read().layers, institution, key)
    }

    /// An object of the state, and the height that it is as of.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn state(&self, key: &StateKey) -> Result<(Option<StateValue>, Height), LedgerError> {
        let live = self.shared.read();
        let value = value(&live.layers, &key.hash(self.shared.chain.suite))?;
        Ok((value, live.tip.head.height))
    }

    /// Proofs of objects (or of their absence) under the newest header's state root, and of earlier
    /// headers under its history root.
    ///
    /// # Errors
    /// [`LedgerError::NotCovered`] before the first block and for heights that are not below the newest
    /// one; [`LedgerError::TooMany`]; [`LedgerError`] if the disk fails.
    pub fn prove(&self, states: &[StateKey], history: &[Height]) -> Result<Proofs, LedgerError> {
        let got = states.len() + history.len();
        if got > PROOFS {
            return Err(LedgerError::TooMany { got, max: PROOFS });
        }
        let suite = self.shared.chain.suite;
        let live = self.shared.read();
        let head = live.tip.head.height;
        let Some((header, seal)) = live.tip.head.sealed.clone() else {
            return Err(LedgerError::NotCovered { height: head, head });
        };
        let mut proofs = Proofs { header, seal, states: Vec::new(), history: Vec::new() };
        for key in states {
            let key = key.hash(suite);
            let path = tree::prove(suite, &live.layers, live.tip.root, &key)?;
            proofs.states.push((value(&live.layers, &key)?, path));
        }
        let get = |key: &[u8]| Ok(live.layers.get(Tree::History, key)?);
        for height in history {
            if *height >= head {
                return Err(LedgerError::NotCovered { height: *height, head });
            }
            proofs.history.push(history::path(suite, &get, height.get(), head.get())?);
        }
        Ok(proofs)
    }

    /// A page of the answer to a query: at most `limit` entries, and at most [`crate::limits::SEARCH_PAGE`].
    ///
    /// # Errors
    /// [`LedgerError::Cursor`] for a cursor that is not of such a query; [`LedgerError`] if the disk fails.
    pub fn search(
        &self,
        query: &Query,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, LedgerError> {
        let live = self.shared.read();
        search::page(&live.layers, query, after, limit, live.tip.head.height)
    }

    /// Counters since the ledger was opened.
    pub fn counters(&self) -> Counters {
        self.shared.metrics.counters()
    }

    pub(crate) fn entry(&self, height: Height) -> Result<Option<BlockEntry>, LedgerError> {
        index::block(&self.shared.read().layers, height)
    }
}

/// The object of a key hash.
pub(crate) fn value(layers: &Layers, key: &Hash) -> Result<Option<StateValue>, LedgerError> {
    let Some(bytes) = layers.get(Tree::Values, key.as_bytes())? else { return Ok(None) };
    let value = codec::decode_own(&bytes, crate::limits::CHECKPOINT_FRAME_BYTES)
        .map_err(|error| LedgerError::derived(Tree::Values, key.as_bytes(), error.to_string()))?;
    Ok(Some(value))
}
