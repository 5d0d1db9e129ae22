//! Proposals that name their submissions, where nobody has them, or somebody hands over something else.

use super::{AREA, COUNT_TIME, Thief, counted_as, counter, votes::Liar};
use crate::hostile::table::Table;
use probata_consensus::{Message, MessageBody};
use probata_node::{
    network::Lane,
    wire::{Ask, Consensus, Found, Leaves},
};
use probata_tests::{Trouble, limits, network::Network};
use probata_types::{
    Hash, List, Signature, Submission, View, codec, limits::SUBMISSIONS_PER_PROPOSAL,
};
use std::time::Instant;
use tokio::time::timeout;

const BYTES: &str = "consensus_bytes";
const MESSAGE: &str = "consensus_message";
const PROPOSAL: &str = "proposal";
const ASKED: &str = "asked_for_submissions";

pub(super) async fn send(
    network: &Network,
    thief: &mut Thief,
    table: &mut Table,
) -> Result<(), Trouble> {
    let liar = Liar::of(network).await?;
    for (name, frame) in malformed(&liar)? {
        let got = thief.counted(Lane::Consensus, frame, BYTES).await?;
        table.note(AREA, name, counted_as(BYTES), got);
    }
    let vote = liar.sign(liar.prepare(liar.next(), View::ZERO));
    let vote = Message { signature: Signature([0; 64]), ..vote };
    let frame = Consensus::Named { message: vote, leaves: leaves(1)? }.encode();
    let got = thief.counted(Lane::Consensus, frame, MESSAGE).await?;
    table.note(AREA, "an unsigned vote that names submissions", counted_as(MESSAGE), got);
    for Case { name, frame, answer, counted } in cases(&liar)? {
        let got = thief.asked(frame, answer, counted).await?;
        let expected = counted.map_or_else(|| "asked, then forgotten".to_owned(), counted_as);
        table.note(AREA, name, expected, got);
    }
    Ok(())
}

/// A frame, what is answered when its submissions are asked for, and what is counted then.
struct Case {
    name: &'static str,
    frame: Vec<u8>,
    answer: Option<Vec<u8>>,
    counted: Option<&'static str>,
}

/// So many submissions that there are not.
fn leaves(count: usize) -> Result<Leaves, Trouble> {
    let leaf = |number: usize| {
        let mut leaf = [0x77; 32];
        leaf[..8].copy_from_slice(&number.to_be_bytes());
        Hash(leaf)
    };
    Ok(List::new((0..count).map(leaf).collect())?)
}

/// The frame of a proposal that names so many submissions that there are not.
fn naming(liar: &Liar, count: usize) -> Result<Vec<u8>, Trouble> {
    let message = liar.sign(liar.pre_prepare(liar.next(), View::ZERO));
    Ok(Consensus::Named { message, leaves: leaves(count)? }.encode())
}

fn malformed(liar: &Liar) -> Result<Vec<(&'static str, Vec<u8>)>, Trouble> {
    let frame = naming(liar, 1)?;
    // The names are the last thing in it: their number, and each.
    let count = frame.len() - 32 - 8;
    let claiming = |claimed: usize| {
        let mut frame = frame.clone();
        frame[count..count + 8].copy_from_slice(&(claimed as u64).to_be_bytes());
        frame
    };
    let mut many = claiming(SUBMISSIONS_PER_PROPOSAL + 1);
    many.extend(vec![0; 32 * SUBMISSIONS_PER_PROPOSAL]);
    Ok(vec![
        ("a proposal that claims 2^64 - 1 names", claiming(usize::MAX)),
        ("a proposal that claims a name more than it has", claiming(2)),
        ("a proposal of 16,385 names", many),
    ])
}

fn cases(liar: &Liar) -> Result<Vec<Case>, Trouble> {
    let unsigned = liar.unsigned_submission()?;
    let MessageBody::PrePrepare { proposal, .. } = &unsigned else {
        return Err(Trouble::new("it is a proposal"));
    };
    let held: Vec<Submission> = proposal.submissions.to_vec();
    let found = |some: Vec<Submission>| Ok::<_, Trouble>(codec::encode(&Found::new(some)?));
    let by_name = Consensus::by_name(&liar.sign(unsigned.clone())).encode();
    Ok(vec![
        Case {
            name: "a proposal of a name, and the request refused",
            frame: naming(liar, 1)?,
            answer: None,
            counted: None,
        },
        Case {
            name: "a proposal of a name, and no submission handed over",
            frame: naming(liar, 1)?,
            answer: Some(found(Vec::new())?),
            counted: None,
        },
        // More names than a request may hold would never be asked for.
        Case {
            name: "a proposal of 1,000 names, and one submission handed over",
            frame: naming(liar, 1_000)?,
            answer: Some(found(held.clone())?),
            counted: None,
        },
        Case {
            name: "a proposal of a name, and another submission handed over",
            frame: naming(liar, 1)?,
            answer: Some(found(held.clone())?),
            counted: Some(MESSAGE),
        },
        Case {
            name: "a proposal of a name, and noise handed over",
            frame: naming(liar, 1)?,
            answer: Some(vec![0x5a; 100_000]),
            counted: Some(PROPOSAL),
        },
        Case {
            name: "a proposal of an unsigned submission, by name",
            frame: by_name,
            answer: Some(found(held)?),
            counted: Some(PROPOSAL),
        },
    ])
}

impl Thief {
    /// Sends a proposal, answers the request for its submissions, and says what it was counted as.
    async fn asked(
        &mut self,
        frame: Vec<u8>,
        answer: Option<Vec<u8>>,
        as_what: Option<&str>,
    ) -> Result<String, Trouble> {
        let before = counter(&self.api, as_what.unwrap_or(ASKED)).await?;
        self.send(Lane::Consensus, frame)?;
        let start = Instant::now();
        let request = loop {
            let left = COUNT_TIME.saturating_sub(start.elapsed());
            let Ok(Some(request)) = timeout(left, self.requests.recv()).await else {
                return Ok("not asked".to_owned());
            };
            // A node that was told of heights asks for blocks, too.
            if let Ok(Ask::Submissions(_)) = Ask::decode(&request.bytes) {
                break request;
            }
        };
        match answer {
            Some(bytes) => drop(request.reply.send(bytes)),
            None => drop(request.reply),
        }
        let start = Instant::now();
        while counter(&self.api, as_what.unwrap_or(ASKED)).await? <= before {
            if start.elapsed() > COUNT_TIME {
                return Ok(format!("asked, not counted as {as_what:?}"));
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        }
        Ok(as_what.map_or_else(|| "asked, then forgotten".to_owned(), counted_as))
    }
}
