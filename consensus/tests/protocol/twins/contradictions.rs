//! Where two conflicting messages of a twin reach one correct replica, it must report a fault
//! (P21). This knows of each such replica what it counted, and so when a report is due.

use probata_consensus::{Fault, Message, MessageBody, Status, VoteKind};
use probata_types::{Hash, Height, ValidatorIndex, View};
use std::collections::BTreeMap;

/// One kind of message of one validator at one place, and what it is about.
type Place = (Height, View, VoteKind, ValidatorIndex);

/// What one replica heard of twins while it was where the messages belong.
#[derive(Debug, Default)]
pub(crate) struct Heard(BTreeMap<Place, Hash>);

impl Heard {
    /// What is kept in memory only is gone after a power cut.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Notes a message that reached a replica which stood at `status` and, having taken it, `voted`
    /// for this proposal. Says for which fault it must have a report now.
    pub(crate) fn note(
        &mut self,
        status: &Status,
        message: &Message,
        voted: Option<Hash>,
    ) -> Option<Place> {
        let (height, view) = (message.height(), message.view());
        if (status.height, status.view) != (height, view) {
            return None;
        }
        let (phase, content) = match &message.body {
            MessageBody::PrePrepare { proposal, .. } => (VoteKind::PrePrepare, proposal.digest()),
            MessageBody::Prepare { digest, .. } => (VoteKind::Prepare, *digest),
            MessageBody::Commit { header, .. } => (VoteKind::Commit, header.hash()),
            _ => return None,
        };
        let place = (height, view, phase, message.from);
        match self.0.get(&place) {
            Some(first) => (*first != content).then_some(place),
            // Of proposals the first that was accepted counts, not the first that came.
            None if phase == VoteKind::PrePrepare && voted != Some(content) => None,
            None => {
                self.0.insert(place, content);
                None
            }
        }
    }
}

/// Whether one of the reports is about this place.
pub(crate) fn is_reported(faults: &[Fault], place: Place) -> bool {
    let of = |fault: &Fault| (fault.height, fault.view, fault.kind, fault.validator);
    faults.iter().any(|fault| of(fault) == place)
}
