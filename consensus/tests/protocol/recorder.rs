//! Everything that correct validators ever signed and sent, before and after restarts: none contradicts
//! itself, and none falls back in height or view. The proofs of docs/PROTOCOL.md stand on exactly this.

use crate::fixtures::{CHAIN, SUITE};
use probata_consensus::{Message, MessageBody};
use probata_types::{Hash, Height, ValidatorIndex, View};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Recorder {
    said: BTreeMap<(ValidatorIndex, &'static str, Height, View), Hash>,
    voted: BTreeMap<ValidatorIndex, (Height, View)>,
    asked: BTreeMap<ValidatorIndex, (Height, View)>,
}

impl Recorder {
    /// Notes a message of a correct validator.
    ///
    /// # Panics
    /// If it contradicts an earlier one.
    pub(crate) fn note(&mut self, message: &Message) {
        if let Err(contradiction) = self.check(message) {
            panic!("{contradiction}");
        }
    }

    /// Notes a message, and says what is wrong with it after the earlier ones.
    pub(crate) fn check(&mut self, message: &Message) -> Result<(), String> {
        if matches!(message.body, MessageBody::Head { .. }) {
            return Ok(());
        }
        let kind = message.body.name();
        let (from, height, view) = (message.from, message.height(), message.view());
        let digest = message.body.digest(SUITE, &CHAIN);
        let before = self.said.insert((from, kind, height, view), digest);
        if before.is_some_and(|before| before != digest) {
            return Err(format!("{from} sent two {kind} at height {height} in view {view}"));
        }
        // A NewView is shown to whoever missed it, even when its sender has gone on.
        if before.is_none() || kind != "NewView" { self.check_order(message) } else { Ok(()) }
    }

    /// What is old is not even repeated once its sender has gone on.
    fn check_order(&mut self, message: &Message) -> Result<(), String> {
        let (from, height, view) = (message.from, message.height(), message.view());
        let (last_height, last_view) = self.voted.get(&from).copied().unwrap_or_default();
        // A wish ends with its height.
        let asked = self.asked.get(&from).filter(|(of, _)| *of == height);
        let asked = asked.map(|(_, view)| *view).unwrap_or_default();
        if height < last_height {
            return Err(format!("{from} fell from height {last_height} to {height}"));
        }
        if let MessageBody::ViewChange { .. } = message.body {
            if view <= last_view {
                return Err(format!("{from} asks for view {view} after it voted in {last_view}"));
            }
            self.asked.insert(from, (height, asked.max(view)));
            self.voted.insert(from, (height, last_view));
            return Ok(());
        }
        if view < last_view {
            return Err(format!("{from} fell from view {last_view} to {view}"));
        }
        if view < asked {
            return Err(format!("{from} voted in view {view} after it asked for {asked}"));
        }
        self.voted.insert(from, (height, view));
        Ok(())
    }
}
