//! Motions and validator sets, as far as they are proven.

use super::{
    client::Client,
    error::ClientError,
    http::Ask,
    sets::{Doubt, ProvenSets},
};
use probata_types::{
    Epoch, EvidenceFile, FlowId, Height, InstitutionId, RecordId, Timestamp,
    body::Body,
    object::{self, Object},
};
use serde_json::Value;

/// A motion as it stands, proven under a sealed state root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMotion {
    /// Its name: the flow that it opened.
    pub flow: FlowId,
    /// Who made it.
    pub by: InstitutionId,
    /// Why.
    pub reason: String,
    /// The motion with its ballots.
    pub motion: object::Motion,
    /// The height that this is as of.
    pub height: Height,
    /// The time of that block.
    pub time: Timestamp,
}

impl FoundMotion {
    fn of(file: EvidenceFile) -> Option<Self> {
        let anchor = file.anchor_header();
        let (flow, height, time) = (file.record.flow, anchor.height, anchor.time);
        let by = file.submission.head.institution;
        let (Body::Motion(said), Object::Motion(motion)) =
            (file.record.body, file.state?.flow.value.object)
        else {
            return None;
        };
        Some(Self { flow, by, reason: said.reason.to_string(), motion: *motion, height, time })
    }
}

impl Client {
    /// A motion by the flow that it opened.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] if no node has it, or it is no motion; [`ClientError`].
    pub async fn motion(&self, flow: &FlowId) -> Result<FoundMotion, ClientError> {
        let missing = || ClientError::NotFound(format!("a motion {flow}"));
        let record = self.newest_in(flow).await?.ok_or_else(missing)?;
        let found = FoundMotion::of(self.evidence(&record, false).await?).ok_or_else(missing)?;
        if found.flow == *flow { Ok(found) } else { Err(missing()) }
    }

    /// The newest motions, newest first, at most so many; each is proven, but not that there are no others.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn motions(&self, most: usize) -> Result<Vec<FoundMotion>, ClientError> {
        let found = self.search("type=motion").await?;
        let accepted = |entry: &&Value| entry.get("accepted") == Some(&Value::Bool(true));
        let ids =
            found.iter().rev().filter(accepted).filter_map(|entry| {
                entry.get("id").and_then(Value::as_str)?.parse::<RecordId>().ok()
            });
        let mut motions = Vec::new();
        for id in ids.take(most) {
            motions.extend(FoundMotion::of(self.evidence(&id, false).await?));
        }
        Ok(motions)
    }

    /// Every validator set since genesis, the newest last, each proven by the one before it.
    ///
    /// # Errors
    /// [`ClientError`]. That there is no newer one is what nodes say, not proven.
    pub async fn epochs(&self) -> Result<Vec<Epoch>, ClientError> {
        let genesis = self.genesis().clone();
        let believe = move |bytes: &[u8], known: &ProvenSets| {
            let walked = ProvenSets::walk(&genesis, bytes).map_err(Doubt::Lie)?;
            walked.goes_on_from(known).map_err(Doubt::Lie)?;
            Ok(walked)
        };
        let sets = self.ask_with_sets(Ask::Read("/v1/epochs".to_owned()), believe).await?;
        let epochs = sets.epochs();
        self.keep_sets(sets);
        Ok(epochs)
    }

    /// A node's word about its peers and how high they are. Nothing of it is proven.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn peers(&self) -> Result<Value, ClientError> {
        self.json("/v1/peers".to_owned()).await
    }
}
