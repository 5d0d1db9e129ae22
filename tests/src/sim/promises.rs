//! What is on a validator's disk when it speaks: a vote must be there before it is said.

use crate::{
    disk::ForgetfulDisk,
    trouble::{Trouble, ensure},
};
use probata_consensus::{Message, MessageBody, Promise};
use probata_types::{Hash, Height, View};
use std::collections::BTreeSet;

/// The journal's file.
const FILE: &str = "journal";
/// Bytes of a frame before its payload, and where among them the payload's length is.
const FRAME_HEAD: usize = 24;
const LENGTH_AT: usize = 12;

/// The promises of one validator that a crash would leave.
#[derive(Debug, Default)]
pub(super) struct Promises {
    /// Which file stands for the journal, and how much of it was read.
    read: (usize, usize),
    /// Where the epoch begins; promises of heights before it do not count.
    first: Height,
    kept: BTreeSet<(Kind, Height, View, Hash)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Proposed,
    Prepare,
    Prepared,
    Commit,
    ViewChange,
    Entered,
}

impl Promises {
    /// A validator says this in the epoch that begins at `first`: its promise must be on its disk, and be of
    /// this epoch.
    ///
    /// # Errors
    /// [`Trouble`] if it is not.
    pub(super) fn check(
        &mut self,
        disk: &ForgetfulDisk,
        first: Height,
        message: &Message,
    ) -> Result<(), Trouble> {
        if first != self.first {
            // P24: views begin again, so that a wish of the epoch before is not one of this.
            *self = Self { first, ..Self::default() };
        }
        let needed = needed(message);
        let is_kept = |kept: &BTreeSet<_>| needed.iter().all(|promise| kept.contains(promise));
        if !is_kept(&self.kept) {
            self.read(disk)?;
        }
        let (from, height, view) = (message.from, message.height(), message.view());
        ensure(is_kept(&self.kept), || {
            format!(
                "validator {from} says at height {height} in view {view} what is not on its disk: {needed:?}"
            )
        })?;
        // P8: a Commit vote is for what is prepared here, whatever its digest.
        let is_commit = matches!(message.body, MessageBody::Commit { .. });
        let all = (Kind::Prepared, height, view, Hash::ZERO)
            ..=(Kind::Prepared, height, view, Hash([0xff; 32]));
        ensure(!is_commit || self.kept.range(all).next().is_some(), || {
            format!(
                "validator {from} commits at height {height} in view {view} without a certificate on its disk"
            )
        })
    }

    fn read(&mut self, disk: &ForgetfulDisk) -> Result<(), Trouble> {
        let Some(part) = disk.synced(FILE, self.read) else { return Ok(()) };
        if part.file != self.read.0 {
            *self = Self { read: (part.file, 0), first: self.first, kept: BTreeSet::new() };
        }
        let mut rest = part.bytes.as_slice();
        while let Some(payload) = frame(rest) {
            let mut records = payload;
            while let Some((length, more)) = records.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                let (record, more) = more
                    .split_at_checked(length)
                    .ok_or_else(|| Trouble::new("a frame of the journal ends within a record"))?;
                let promise = Promise::decode(record)?;
                if promise.height() >= self.first {
                    self.kept.insert(key(&promise));
                }
                records = more;
            }
            let size = FRAME_HEAD + payload.len();
            self.read.1 += size;
            rest = &rest[size..];
        }
        Ok(())
    }
}

/// The payload of the frame at the beginning of some bytes; `None` if it is not whole.
fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.get(LENGTH_AT..LENGTH_AT + 4)?.first_chunk::<4>()?;
    bytes.get(FRAME_HEAD..)?.get(..u32::from_be_bytes(*length) as usize)
}

fn key(promise: &Promise) -> (Kind, Height, View, Hash) {
    let (height, view) = (promise.height(), promise.view());
    let (kind, content) = match promise {
        Promise::Proposed { digest, .. } => (Kind::Proposed, *digest),
        Promise::Prepare { digest, .. } => (Kind::Prepare, *digest),
        Promise::Prepared { certificate, .. } => (Kind::Prepared, certificate.digest),
        Promise::Commit { header, .. } => (Kind::Commit, header.hash()),
        Promise::ViewChange { .. } => (Kind::ViewChange, Hash::ZERO),
        Promise::Entered { .. } => (Kind::Entered, Hash::ZERO),
    };
    (kind, height, view, content)
}

/// The promises that must be kept before a message is sent (P20).
fn needed(message: &Message) -> Vec<(Kind, Height, View, Hash)> {
    let (height, view) = (message.height(), message.view());
    match &message.body {
        MessageBody::PrePrepare { proposal, .. } => {
            vec![(Kind::Proposed, height, view, proposal.digest())]
        }
        MessageBody::Prepare { digest, .. } => vec![(Kind::Prepare, height, view, *digest)],
        MessageBody::Commit { header, .. } => vec![(Kind::Commit, height, view, header.hash())],
        MessageBody::ViewChange { prepared, .. } => {
            let asked = (Kind::ViewChange, height, view, Hash::ZERO);
            let shown = prepared.as_ref().map(|it| (Kind::Prepared, height, it.view, it.digest));
            [Some(asked), shown].into_iter().flatten().collect()
        }
        MessageBody::NewView { .. } => vec![(Kind::Entered, height, view, Hash::ZERO)],
        MessageBody::Head { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_ledger::Journal;
    use probata_types::{Signature, ValidatorIndex, codec};
    use std::sync::Arc;

    fn wish(height: u64, view: u64) -> Message {
        let (height, view) = (Height::new(height), View::new(view));
        let body = MessageBody::ViewChange { height, view, prepared: None, proposal: None };
        Message { from: ValidatorIndex(1), signature: Signature([0; 64]), body }
    }

    fn promised(height: u64, view: u64) -> Vec<u8> {
        let (height, view) = (Height::new(height), View::new(view));
        codec::encode(&Promise::ViewChange { height, view })
    }

    #[test]
    fn p20_a_wish_binds_at_its_height_and_in_its_epoch() {
        let disk = Arc::new(ForgetfulDisk::default());
        let (mut journal, _) = Journal::open(disk.clone()).unwrap();
        journal.rewrite(vec![promised(4, 1)]).unwrap();
        let mut promises = Promises::default();
        let (first, next) = (Height::new(1), Height::new(5));
        promises.check(&disk, first, &wish(4, 1)).unwrap();
        promises.check(&disk, first, &wish(4, 2)).unwrap_err();
        promises.check(&disk, first, &wish(5, 1)).unwrap_err();
        journal.rewrite(vec![promised(4, 1), promised(5, 1)]).unwrap();
        promises.check(&disk, first, &wish(5, 1)).unwrap();
        promises.check(&disk, next, &wish(4, 1)).expect_err("of the epoch before");
        promises.check(&disk, next, &wish(5, 1)).unwrap();
    }
}
