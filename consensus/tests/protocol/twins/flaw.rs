//! Mistakes made on purpose, to see that they are seen. None needs a change of what is shipped:
//! each is a disk, a sender or a network that does not do what docs/PROTOCOL.md asks of it.

use crate::fixtures::sign;
use probata_consensus::{Message, MessageBody, Promise};

/// What a bad disk loses.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lost {
    /// What was prepared.
    Certificates,
    /// Votes of all kinds, and what was prepared.
    Votes,
    /// The views that were asked for.
    Wishes,
}

impl Lost {
    pub(crate) const fn has(self, promise: &Promise) -> bool {
        match self {
            Self::Certificates => matches!(promise, Promise::Prepared { .. }),
            Self::Wishes => matches!(promise, Promise::ViewChange { .. }),
            Self::Votes => matches!(
                promise,
                Promise::Proposed { .. }
                    | Promise::Prepare { .. }
                    | Promise::Prepared { .. }
                    | Promise::Commit { .. }
            ),
        }
    }
}

/// What is wrong with the correct validators.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// Their disks lose these promises when the power is cut.
    Forgets(Lost),
    /// Their view changes do not show what is prepared.
    HidesCertificates,
    /// Their and everybody's view changes get lost.
    LosesWishes,
    /// They report no fault.
    SaysNothing,
}

impl Flaw {
    /// What is sent instead of this.
    pub(crate) fn bend(self, message: Message) -> Message {
        match (self, message.body) {
            (Self::HidesCertificates, MessageBody::ViewChange { height, view, .. }) => {
                let bare = MessageBody::ViewChange { height, view, prepared: None, proposal: None };
                sign(message.from.position(), bare)
            }
            (_, body) => Message { body, ..message },
        }
    }

    pub(crate) const fn loses(self, message: &Message) -> bool {
        matches!((self, &message.body), (Self::LosesWishes, MessageBody::ViewChange { .. }))
    }
}
