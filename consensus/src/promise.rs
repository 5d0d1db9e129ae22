//! What must survive a crash: a vote is on disk before it is on the wire.

use crate::{limits, message::PreparedCertificate};
use probata_types::{Hash, Header, Height, Proposal, View, codec};
use serde::{Deserialize, Serialize};

/// One promise of a validator, as its journal holds it. After a crash the replica can only repeat these,
/// never contradict them (P20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Promise {
    /// "I proposed this, and nothing else in this view."
    Proposed {
        /// The height.
        height: Height,
        /// The view.
        view: View,
        /// The proposal's digest.
        digest: Hash,
    },
    /// "I voted Prepare for this, and for nothing else in this view."
    Prepare {
        /// The height.
        height: Height,
        /// The view.
        view: View,
        /// The proposal's digest.
        digest: Hash,
    },
    /// "This is prepared; every view change that I send will say so."
    Prepared {
        /// The height.
        height: Height,
        /// The quorum of Prepare votes.
        certificate: PreparedCertificate,
        /// What they voted for.
        proposal: Proposal,
    },
    /// "I voted Commit for this header, and for nothing else in this view."
    Commit {
        /// The view.
        view: View,
        /// The header, with its height.
        header: Header,
    },
    /// "I asked for this view and vote in no lower one."
    ViewChange {
        /// The height at the time.
        height: Height,
        /// The view asked for.
        view: View,
    },
    /// "I am in this view and vote in no lower one."
    Entered {
        /// The height at the time.
        height: Height,
        /// The view.
        view: View,
    },
}

impl Promise {
    /// The height that it is about.
    pub const fn height(&self) -> Height {
        match self {
            Self::Commit { header, .. } => header.height,
            Self::Proposed { height, .. }
            | Self::Prepare { height, .. }
            | Self::Prepared { height, .. }
            | Self::ViewChange { height, .. }
            | Self::Entered { height, .. } => *height,
        }
    }

    /// The view below which the validator votes no more; of a view change, the one asked for.
    pub const fn view(&self) -> View {
        match self {
            Self::Prepared { certificate, .. } => certificate.view,
            Self::Proposed { view, .. }
            | Self::Prepare { view, .. }
            | Self::Commit { view, .. }
            | Self::ViewChange { view, .. }
            | Self::Entered { view, .. } => *view,
        }
    }

    /// A promise from the bytes of a journal record.
    ///
    /// # Errors
    /// [`codec::CodecError`] for anything but the canonical bytes of a promise.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode(bytes, limits::MESSAGE_BYTES)
    }
}
