//! The readers: cloneable handles that see whole blocks only.
//!
//! Every answer is given under one read lock, so all of it stands against one head while the writer goes
//! on. The writer takes the lock only to swap in what it has already computed.

mod part;

pub use part::{BlockLeaves, BlockPart};

use crate::{
    derive::Head,
    error::{FileError, LedgerError},
    history,
    index::{self, BlockEntry, RecordPlace, SubmissionPlace},
    layers::Layers,
    ledger::{Live, Shared, decode, decode_own},
    limits::PROOFS,
    log,
    metrics::Counters,
    older::Older,
    search::{self, Cursor, Page, Query, Span},
    snapshot::body,
    store::Tree,
    tree::{self, Node},
};
use probata_types::{
    FlowId, Hash, Header, Height, InstitutionId, RecordId, Seal, SealedBlock, SubmissionId, Suite,
    Timestamp, codec,
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

    /// The first block from which on all are here; those before are still to come to a node that began from a
    /// snapshot. Whatever is asked that they could change is answered with [`LedgerError::NotHere`].
    pub fn history_from(&self) -> Height {
        self.shared.read().layers.missing.next()
    }

    /// To gather the blocks below all that are here; `None` if all are. One at a time.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn older(&self) -> Result<Option<Older>, LedgerError> {
        Older::of(&self.shared)
    }

    /// Whether every block of this time or later is here.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn remembers(&self, time: Timestamp) -> Result<bool, LedgerError> {
        let live = self.shared.read();
        if live.layers.missing == Height::ZERO {
            return Ok(true);
        }
        let first = index::block(&live.layers, live.layers.missing.next())?;
        Ok(first.is_some_and(|first| first.header.time <= time))
    }

    /// A block, if it is there.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn block(&self, height: Height) -> Result<Option<SealedBlock>, LedgerError> {
        let Some(entry) = self.entry(height)? else { return Ok(None) };
        let bytes = log::read(&*self.shared.storage, height, entry.place)?;
        match self.is_away(&entry) {
            true => from_archive(&entry, &bytes).map(Some),
            false => Ok(Some(decode_own(entry.place, &bytes)?)),
        }
    }

    fn is_away(&self, entry: &BlockEntry) -> bool {
        self.shared.storage.is_away(&log::file_name(entry.place.segment))
    }

    /// Whether a block's body is in the archive, so that reading it takes longer and may fail with
    /// [`FileError::Archived`].
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn is_archived(&self, height: Height) -> Result<bool, LedgerError> {
        Ok(self.entry(height)?.is_some_and(|entry| self.is_away(&entry)))
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
        Ok(self.entry(height)?.map(|entry| entry.place.block))
    }

    /// The header and seal of a block, if it is there. Its body is not read.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn sealed_header(&self, height: Height) -> Result<Option<(Header, Seal)>, LedgerError> {
        let base = self.shared.base.as_ref();
        if let Some(sealed) = base.and_then(|base| base.sealed(height)) {
            return Ok(Some(sealed));
        }
        Ok(self.entry(height)?.map(|entry| (entry.header, entry.seal)))
    }

    /// Where a record is: where it was first accepted, or else where it was first rejected.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn record(&self, id: &RecordId) -> Result<Option<RecordPlace>, LedgerError> {
        let live = self.shared.read();
        let found = index::record(&live.layers, id)?;
        live.settled(found, |place| place.accepted)
    }

    /// Where a submission is: where any of its records was first accepted, or else where it first was.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn submission(&self, id: &SubmissionId) -> Result<Option<SubmissionPlace>, LedgerError> {
        let live = self.shared.read();
        // A quorum seals no submission twice.
        let found = index::submission(&live.layers, id)?;
        live.settled(found, |_| true)
    }

    /// As [`LedgerReader::submission`], of the blocks that are here: for one that can be in no other.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn submission_here(
        &self,
        id: &SubmissionId,
    ) -> Result<Option<SubmissionPlace>, LedgerError> {
        index::submission(&self.shared.read().layers, id)
    }

    /// The submission that an institution sent under an idempotency key: the first one of which any
    /// record was accepted, or else the first one; of the blocks that are here.
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
        for height in history {
            proofs.history.push(self.history_path(&live, *height, head)?);
        }
        Ok(proofs)
    }

    /// The path of the header of height `of` in the history of the sealed header of height `size`.
    ///
    /// # Errors
    /// [`LedgerError::NotCovered`] unless `of` is below `size` and that is sealed; [`LedgerError`] if the disk fails.
    pub fn history(&self, of: Height, size: Height) -> Result<MerklePath, LedgerError> {
        let live = self.shared.read();
        let head = live.tip.head.height;
        if size > head {
            return Err(LedgerError::NotCovered { height: size, head });
        }
        self.history_path(&live, of, size)
    }

    fn history_path(
        &self,
        live: &Live,
        of: Height,
        size: Height,
    ) -> Result<MerklePath, LedgerError> {
        if of >= size {
            return Err(LedgerError::NotCovered { height: of, head: size });
        }
        if of < self.first_provable(live) {
            return Err(live.not_here());
        }
        let get = |key: &[u8]| Ok(live.layers.get(Tree::History, key)?);
        history::path(self.shared.chain.suite, &get, of.get(), size.get())
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
        let page = search::page(&live.layers, query, after, limit, live.span())?;
        page.ok_or_else(|| live.not_here())
    }

    /// A page of the accepted records of a flow, as [`LedgerReader::search`] gives them: those of a flow that
    /// was opened in a block that is here are all here.
    ///
    /// # Errors
    /// As [`LedgerReader::search`].
    pub fn events(
        &self,
        flow: &FlowId,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, LedgerError> {
        let live = self.shared.read();
        let (query, span) = (Query::Flow(*flow), live.span());
        let key = StateKey::Flow(*flow).hash(self.shared.chain.suite);
        let young = match value(&live.layers, &key)? {
            Some(StateValue::Flow(flow)) => flow.opened_at >= span.from,
            _ => false,
        };
        let page = if young {
            Some(search::page_of_those_here(&live.layers, &query, after, limit, span)?)
        } else {
            search::page(&live.layers, &query, after, limit, span)?
        };
        let mut page = page.ok_or_else(|| live.not_here())?;
        page.entries.retain(|(_, place)| place.accepted);
        Ok(page)
    }

    /// Counters since the ledger was opened.
    pub fn counters(&self) -> Counters {
        self.shared.metrics.counters()
    }

    pub(crate) fn entry(&self, height: Height) -> Result<Option<BlockEntry>, LedgerError> {
        let live = self.shared.read();
        if height > Height::ZERO && height <= live.layers.missing {
            return Err(live.not_here());
        }
        index::block(&live.layers, height)
    }

    /// The first block whose place in the history can be shown: while any is missing, none below the base is
    /// part of a subtree that is whole.
    fn first_provable(&self, live: &Live) -> Height {
        match &self.shared.base {
            Some(base) if live.layers.missing > Height::ZERO => base.height(),
            _ => Height::ZERO,
        }
    }
}

impl Live {
    fn span(&self) -> Span {
        Span { from: self.layers.missing.next(), to: self.tip.head.height }
    }

    fn not_here(&self) -> LedgerError {
        LedgerError::NotHere { from: self.layers.missing.next() }
    }

    /// What was found, unless a block that is not here could hold what counts instead.
    fn settled<T>(
        &self,
        found: Option<T>,
        counts: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, LedgerError> {
        let settled = self.layers.missing == Height::ZERO || found.as_ref().is_some_and(counts);
        if settled { Ok(found) } else { Err(self.not_here()) }
    }
}

/// The block that the archive holds at a place: what comes from elsewhere must have the header that stayed here, and the
/// body that it names.
fn from_archive(entry: &BlockEntry, bytes: &[u8]) -> Result<SealedBlock, LedgerError> {
    let block = decode(entry.place, bytes)?;
    let checked = match block.header == entry.header {
        true => body::check(&block),
        false => Err("its header is another one".to_owned()),
    };
    match checked {
        Ok(()) => Ok(block),
        Err(what) => {
            let (file, height) = (log::file_name(entry.place.segment), entry.header.height);
            let what = format!("the archive holds another block {height}: {what}");
            Err(FileError::corrupt(&file, entry.place.offset, what).into())
        }
    }
}

/// As [`value`] of what is in the state under `root`. What is new is looked for before it is put, and its pages are needed
/// then: to find nothing in them costs less than to find nothing in the store.
pub(crate) fn value_under(
    suite: Suite,
    layers: &Layers,
    root: Node,
    key: &Hash,
) -> Result<Option<StateValue>, LedgerError> {
    match tree::find(suite, layers, root, key)? {
        None => Ok(None),
        Some(_) => value(layers, key),
    }
}

/// The object of a key hash.
pub(crate) fn value(layers: &Layers, key: &Hash) -> Result<Option<StateValue>, LedgerError> {
    let Some(bytes) = layers.get(Tree::Values, key.as_bytes())? else { return Ok(None) };
    let value = codec::decode_own(&bytes, crate::limits::CHECKPOINT_FRAME_BYTES)
        .map_err(|error| LedgerError::derived(Tree::Values, key.as_bytes(), error.to_string()))?;
    Ok(Some(value))
}
