//! What is well-formed and not true: heights that nobody has, blocks that hold nothing, submissions
//! that nobody signed.

use super::{AREA, Thief, counted_as};
use crate::hostile::table::Table;
use probata_node::{
    network::Lane,
    wire::{Ask, Bulk, join_blocks},
};
use probata_tests::{Trouble, limits};
use probata_types::{Hash, Height, List, Seal, SealedBlock, Signature, Submission, codec};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long the node may believe a height that nobody has.
const BELIEF: Duration = Duration::from_secs(10);
/// How long the liar goes on answering.
const ANSWERING: Duration = Duration::from_secs(1);
/// Fetches that one claim may bring about while the liar answers.
const FETCHES: usize = 3;

pub(super) async fn send(thief: &mut Thief, table: &mut Table) -> Result<(), Trouble> {
    for (name, submission) in submissions()? {
        let frame = Bulk::Submissions(List::new(vec![submission])?).encode();
        let got = thief.counted(Lane::Bulk, frame, "submission").await?;
        table.note(AREA, name, counted_as("submission"), got);
    }
    let ask = Ask::Blocks { first: Height::new(1), count: 1 }.encode();
    let first = thief.handle.request(thief.target, ask, limits::ANSWER).await?;
    for (number, (name, answer)) in answers(&first)?.into_iter().enumerate() {
        // One after the other: a node lets a peer that failed it rest for a while.
        let liar_to = number % thief.validators.len();
        let got = thief.claim_and_answer(liar_to, answer).await?;
        table.note(
            AREA,
            format!("a height that nobody has, and {name}"),
            "asked, then forgotten",
            got,
        );
    }
    Ok(())
}

fn submissions() -> Result<Vec<(&'static str, Submission)>, Trouble> {
    let vectors: Value = serde_json::from_str(include_str!("../../../vectors/blocks.json"))?;
    let other_chain: Submission = serde_json::from_value(vectors["vectors"][0]["value"].clone())?;
    let mut unsigned = other_chain.clone();
    unsigned.signature = Signature([0; 64]);
    let mut empty = other_chain.clone();
    empty.records = List::empty();
    Ok(vec![
        ("a submission for another chain, handed on", other_chain),
        ("an unsigned submission, handed on", unsigned),
        ("a submission of no records, handed on", empty),
    ])
}

/// Answers to a request for blocks, made from one that holds block 1. None is to refuse the
/// request.
type Answers = Vec<(&'static str, Option<Vec<u8>>)>;

fn answers(first: &[u8]) -> Result<Answers, Trouble> {
    let blocks = probata_node::wire::split_blocks(first)?;
    let block = blocks.first().ok_or_else(|| Trouble::new("a node has no block 1"))?;
    let high = |block: &SealedBlock, height: Height| {
        let mut block = block.clone();
        (block.header.height, block.proposal.height) = (height, height);
        block
    };
    let mut unsealed = high(block, Height::new(1_000_000));
    unsealed.seal = Seal { view: unsealed.seal.view, votes: List::empty() };
    let mut foreign = block.clone();
    foreign.header.chain = Hash([7; 32]);
    let bytes = |block: &SealedBlock| join_blocks(&[codec::encode(block)]);
    Ok(vec![
        ("no answer", None),
        ("nothing", Some(Vec::new())),
        ("noise", Some(vec![0xff; 100_000])),
        ("a block cut short", Some(first[..first.len() - 1].to_vec())),
        ("an old block, again and again", Some(first.to_vec())),
        ("a block of the end of heights", Some(bytes(&high(block, Height::MAX)))),
        ("a block without a seal", Some(bytes(&unsealed))),
        ("a block of another chain", Some(bytes(&foreign))),
        ("four mebibytes of one old block", Some(many(first))),
    ])
}

/// As many copies as an answer may hold.
fn many(first: &[u8]) -> Vec<u8> {
    let copies = (4 * 1_024 * 1_024 / first.len()).min(probata_node::limits::FETCH_BLOCKS);
    first.repeat(copies)
}

impl Thief {
    /// Claims the highest height, answers whatever the node asks for, and says what came of it.
    async fn claim_and_answer(
        &mut self,
        liar_to: usize,
        answer: Option<Vec<u8>>,
    ) -> Result<String, Trouble> {
        let (target, api) = self.validators[liar_to].clone();
        self.handle.send(target, Lane::Bulk, Bulk::Head(Height::MAX).encode().into())?;
        let mut asked = 0;
        let mut until = Instant::now() + BELIEF;
        while let Ok(Some(request)) =
            timeout(until.saturating_duration_since(Instant::now()), self.requests.recv()).await
        {
            if asked == 0 {
                until = Instant::now() + ANSWERING;
            }
            asked += 1;
            if let Some(bytes) = &answer {
                // The node may have given up.
                let _ = request.reply.send(bytes.clone());
            }
        }
        let start = Instant::now();
        while start.elapsed() < BELIEF {
            let status = api.json("/v1/status").await?;
            if status["highest_seen"] == status["height"] {
                return Ok(match asked {
                    0 => "never asked".to_owned(),
                    few if few <= FETCHES => "asked, then forgotten".to_owned(),
                    many => format!("asked {many} times"),
                });
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        }
        Ok("believed".to_owned())
    }
}
