//! Make absence files from the ledger: what the newest state lacks, or when that which it has came.

use super::{
    AssembleError, Checkpoints, NO_SUCH_RECORD, Options, Source, links, place, set_changes,
};
use probata_genesis::Genesis;
use probata_ledger::{LedgerReader, Proofs, RecordPlace};
use probata_types::{
    Height, List, RecordId, Timestamp,
    evidence::{AbsenceFile, AbsenceFormat, Claim, Found, ShownOutcome},
    merkle::MerklePath,
    object::Object,
    state::{StateKey, StateValue},
};

/// Times that the state is looked at again because it has changed meanwhile.
const LOOKS: usize = 8;

/// Why there is no absence file.
#[derive(Debug, thiserror::Error)]
pub enum Untrue {
    /// It did happen.
    #[error("it did happen: {0}")]
    Happened(String),
    /// The height asked for is not sealed yet.
    #[error("height {0} is not sealed here yet")]
    NotSealed(Height),
    /// The file cannot be made.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
}

impl From<probata_ledger::LedgerError> for Untrue {
    fn from(error: probata_ledger::LedgerError) -> Self {
        Self::Assemble(error.into())
    }
}

/// The file that proves a claim by the newest state.
///
/// # Errors
/// [`Untrue`].
pub fn assemble_absence(
    reader: &LedgerReader,
    genesis: &Genesis,
    claim: Claim,
    (checkpoints, made_at): (Checkpoints, Timestamp),
) -> Result<AbsenceFile, Untrue> {
    let (key, up_to) = match claim {
        Claim::NoGuarantee { flow, at } => (StateKey::Flow(flow), at),
        Claim::NotRecordedBefore { sha256, height } => {
            (StateKey::Document(sha256), height.previous().unwrap_or_default())
        }
    };
    if up_to > reader.head().height {
        return Err(Untrue::NotSealed(up_to));
    }
    for _ in 0..LOOKS {
        let (seen, _) = reader.state(&key)?;
        let later = named_later(reader, claim, seen.as_ref())?;
        let head = reader.head().height;
        let heights = later.iter().map(|(_, place)| place.height).filter(|height| *height < head);
        let heights: Vec<Height> = heights.collect();
        let Proofs { header, seal, states, history } =
            reader.prove(std::slice::from_ref(&key), &heights)?;
        let contradiction = || AssembleError::Contradiction("a state proof was left out");
        let (value, path) = states.into_iter().next().ok_or_else(contradiction)?;
        // Whatever came between the look and the proof is looked at again.
        if value != seen || header.height != head {
            continue;
        }
        let mut paths = history.into_iter();
        let mut shown = List::empty();
        for (record, at) in later {
            let path =
                if at.height < head { paths.next() } else { Some(MerklePath(List::empty())) };
            let path = path.ok_or_else(contradiction)?;
            let outcome = outcome(reader, genesis, (record, at), path)?;
            shown.push(outcome).map_err(|_| contradiction())?;
        }
        return Ok(AbsenceFile {
            format: AbsenceFormat::Absence,
            version: AbsenceFile::VERSION,
            suite: header.suite,
            chain: genesis.chain(),
            made_at,
            claim,
            found: match value {
                Some(StateValue::Flow(flow)) => Found::Flow(flow),
                Some(StateValue::Document(sighting)) => Found::Document(sighting),
                _ => Found::Nothing,
            },
            path,
            later: shown,
            sets: set_changes(reader, header.height)?,
            links: links(reader, &checkpoints, (None, header.height))?,
            header,
            seal,
        });
    }
    Err(AssembleError::Contradiction("the state changes faster than it is read").into())
}

/// The records that the state names, if each came later than the claim says.
fn named_later(
    reader: &LedgerReader,
    claim: Claim,
    value: Option<&StateValue>,
) -> Result<Vec<(RecordId, RecordPlace)>, Untrue> {
    match (claim, value) {
        (Claim::NotRecordedBefore { height, .. }, Some(StateValue::Document(sighting))) => {
            if sighting.height >= height {
                return Ok(Vec::new());
            }
            let (record, height) = (sighting.record, sighting.height);
            Err(Untrue::Happened(format!(
                "record {record} binds the document since height {height}"
            )))
        }
        (Claim::NoGuarantee { at, .. }, Some(StateValue::Flow(flow))) if flow.opened_at <= at => {
            let Object::Facility(facility) = &flow.object else { return Ok(Vec::new()) };
            let mut later = Vec::new();
            for guarantee in &facility.guarantees {
                let place = reader.record(&guarantee.record)?.ok_or(NO_SUCH_RECORD)?;
                if place.height <= at {
                    let (record, height) = (guarantee.record, place.height);
                    let what = format!("guarantee {record} was recorded at height {height}");
                    return Err(Untrue::Happened(what));
                }
                later.push((guarantee.record, place));
            }
            Ok(later)
        }
        _ => Ok(Vec::new()),
    }
}

fn outcome(
    reader: &LedgerReader,
    genesis: &Genesis,
    (record, at): (RecordId, RecordPlace),
    history_path: MerklePath,
) -> Result<ShownOutcome, AssembleError> {
    let options =
        Options { events: false, checkpoints: Checkpoints::default(), made_at: Timestamp::ZERO };
    let source = Source::new(reader, genesis, (at.height, at.submission), options)?;
    let leaf = source.first_leaf + at.index as usize;
    Ok(ShownOutcome {
        record,
        submission: source.submission().head.id(),
        outcome: source.part.outcomes.get(leaf).ok_or(NO_SUCH_RECORD)?.clone(),
        place: place(leaf, &source.outcomes)?,
        header: source.part.header.clone(),
        history_path,
    })
}
