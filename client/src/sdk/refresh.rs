//! Newer proof of what was proved already: a later anchor for an evidence file, and checkpoints to keep.

use super::{
    answer::{self, SealedHeader},
    client::Client,
    clock,
    error::ClientError,
    http::Ask,
    sets::Doubt,
    spool::{Readers, write_durably},
};
use crate::light::{AbsenceReport, AbsenceRequest, Status, Verdict, verify_absence};
use probata_types::{
    AbsenceFile, Checkpoint, EvidenceFile, Height, List,
    evidence::{CheckpointFormat, Claim},
};
use std::{io, path::Path};

impl Client {
    /// The evidence of the same record with an anchor of today, which goes on from the old anchor and agrees with
    /// the checkpoint, if one is given. What the old file discloses or lists, the new one does too.
    ///
    /// # Errors
    /// [`ClientError::Evidence`] if the old file does not hold; [`ClientError`]. A node whose history is another than
    /// that of the old file is told to be lying.
    pub async fn refresh(
        &self,
        old: &EvidenceFile,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<EvidenceFile, ClientError> {
        answer::check(self.genesis(), None, old).map_err(ClientError::Evidence)?;
        let mut kept = vec![Checkpoint::of_anchor(old)];
        kept.extend(checkpoint.cloned());
        let mut file = self.evidence_from(&old.record_id(), old.events.is_some(), kept).await?;
        file.disclosures = old.disclosures.clone();
        Ok(file)
    }

    /// The sealed header of a height, with the way to it from genesis as the node shows it. Worth keeping once other
    /// nodes show the same.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn checkpoint(&self, height: Height) -> Result<Checkpoint, ClientError> {
        self.learn_sets().await?;
        let found = self.headers(height, 1).await?.into_iter().next();
        let none = || ClientError::NotFound(format!("a sealed block of height {height}"));
        let SealedHeader { header, seal } = found.ok_or_else(none)?;
        let changes = self.sets().changes();
        let sets = changes.iter().filter(|change| change.header.height <= height).cloned();
        Ok(Checkpoint {
            format: CheckpointFormat::Checkpoint,
            version: Checkpoint::VERSION,
            suite: header.suite,
            chain: header.chain,
            made_at: clock::now(),
            header,
            seal,
            sets: List::new(sets.collect()).expect("no more than were read"),
        })
    }
}

impl Client {
    /// A file that proves that something did not happen, with what the light client says of it.
    ///
    /// # Errors
    /// [`ClientError`]: it is not found if it did happen.
    pub async fn absence(
        &self,
        claim: Claim,
        checkpoint: Option<Checkpoint>,
    ) -> Result<(AbsenceFile, AbsenceReport), ClientError> {
        let mut path = match claim {
            Claim::NoGuarantee { flow, at } => {
                format!("/v1/absence/guarantees?flow={flow}&at={at}")
            }
            Claim::NotRecordedBefore { sha256, height } => {
                format!("/v1/absence/documents?sha256={sha256}&before={height}")
            }
        };
        if let Some(checkpoint) = &checkpoint {
            path += &format!("&checkpoints={}", checkpoint.header.height);
        }
        let genesis = self.genesis_shared();
        self.ask_with_sets(Ask::Read(path), move |bytes, _| {
            let checkpoint = checkpoint.as_ref();
            let request = AbsenceRequest { absence: bytes, genesis: Some(&genesis), checkpoint };
            let report = verify_absence(&request);
            let file = AbsenceFile::parse(bytes).map_err(|error| Doubt::Lie(error.to_string()))?;
            if report.verdict == Verdict::Consistent && file.claim == claim {
                return Ok((file, report));
            }
            let failed = report.checks.iter().find(|check| check.status != Status::Passed);
            let why = failed.map_or("another claim", |check| &check.compared);
            Err(Doubt::Lie(why.to_owned()))
        })
        .await
    }
}

/// Writes an absence file, as `NAME.absence.json`.
///
/// # Errors
/// [`ClientError::File`].
pub fn write_absence(file: &AbsenceFile, path: &Path) -> Result<(), ClientError> {
    let json = file.to_json().map_err(|error| ClientError::file(path, io::Error::other(error)))?;
    write_durably(path, json.as_bytes(), Readers::All)
        .map_err(|error| ClientError::file(path, error))
}

/// Writes a checkpoint, as `NAME.checkpoint.json`.
///
/// # Errors
/// [`ClientError::File`].
pub fn write_checkpoint(checkpoint: &Checkpoint, path: &Path) -> Result<(), ClientError> {
    let json =
        checkpoint.to_json().map_err(|error| ClientError::file(path, io::Error::other(error)))?;
    write_durably(path, json.as_bytes(), Readers::All)
        .map_err(|error| ClientError::file(path, error))
}
