//! Frames and requests that are not the bytes of anything.

use super::{AREA, Thief, counted_as, counter};
use crate::hostile::table::Table;
use probata_consensus::{Message, MessageBody, limits::MESSAGE_BYTES};
use probata_node::{
    network::{Lane, RequestError},
    wire::{Ask, Bulk, Consensus, split_blocks},
};
use probata_tests::{Trouble, limits};
use probata_types::{Hash, Height, List, Signature, ValidatorIndex, View};

/// The codes under which such bytes are counted.
const CONSENSUS: &str = "consensus_bytes";
const BULK: &str = "bulk_bytes";
const REQUEST: &str = "request";

pub(super) async fn send(thief: &Thief, table: &mut Table) -> Result<(), Trouble> {
    for (name, frame) in consensus() {
        let got = thief.counted(Lane::Consensus, frame, CONSENSUS).await?;
        table.note(AREA, name, counted_as(CONSENSUS), got);
    }
    for (name, frame) in bulk() {
        let got = thief.counted(Lane::Bulk, frame, BULK).await?;
        table.note(AREA, name, counted_as(BULK), got);
    }
    requests(thief, table).await
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

fn consensus() -> Vec<(&'static str, Vec<u8>)> {
    let body =
        MessageBody::Prepare { height: Height::new(1), view: View::ZERO, digest: Hash([1; 32]) };
    let new_view = MessageBody::NewView {
        height: Height::new(1),
        view: View::new(1),
        view_changes: List::empty(),
        proposal: None,
    };
    let message = |body| {
        let message = Message { from: ValidatorIndex(0), signature: Signature([0; 64]), body };
        Consensus::Whole(message).encode()
    };
    let (prepare, new_view) = (message(body), message(new_view));
    // The kind of frame stands before sender and signature.
    let kind = 4 + 2 + 64;
    let mut unknown = prepare.clone();
    unknown[kind + 3] = 99;
    let mut endless = new_view.clone();
    // Kind, height and view stand before the number of view changes.
    let count = kind + 4 + 8 + 8;
    endless[count..count + 8].copy_from_slice(&u64::MAX.to_be_bytes());
    let mut high = prepare.clone();
    high[kind + 4..kind + 12].copy_from_slice(&(1u64 << 53).to_be_bytes());
    vec![
        ("a consensus frame of nothing", Vec::new()),
        ("a consensus frame of noise", noise(10_000)),
        ("a consensus frame cut short", prepare[..prepare.len() - 1].to_vec()),
        ("a consensus frame with one byte more", [prepare.as_slice(), &[0]].concat()),
        ("a consensus message of an unknown kind", unknown),
        ("a new view that claims 2^64 - 1 view changes", endless),
        ("a consensus message of height 2^53", high),
        ("a consensus message of 12 MiB and one byte", vec![0; MESSAGE_BYTES + 1]),
        ("a consensus frame at the lane's bound, 16 MiB", vec![0xff; Lane::Consensus.max_frame()]),
    ]
}

fn bulk() -> Vec<(&'static str, Vec<u8>)> {
    let head = Bulk::Head(Height::new(7)).encode();
    let mut high = head.clone();
    high[4..].copy_from_slice(&(1u64 << 53).to_be_bytes());
    vec![
        ("a bulk frame of nothing", Vec::new()),
        ("a bulk frame of noise", noise(10_000)),
        ("a bulk frame at the lane's bound, 4 MiB", noise(Lane::Bulk.max_frame())),
        ("a height cut short", head[..head.len() - 1].to_vec()),
        ("a height of 2^53", high),
    ]
}

async fn requests(thief: &Thief, table: &mut Table) -> Result<(), Trouble> {
    let largest = probata_node::limits::mesh::MAX_REQUEST;
    for (name, bytes) in [
        ("a request of nothing", Vec::new()),
        ("a request of noise at its bound, 64 KiB", noise(largest)),
    ] {
        let before = counter(&thief.api, REQUEST).await?;
        let answer = thief.handle.request(thief.target, bytes, limits::ANSWER).await;
        let counted = counter(&thief.api, REQUEST).await? > before;
        let got = match answer {
            Err(RequestError::Refused(_)) if counted => counted_as(REQUEST),
            other => format!("{other:?}, counted: {counted}"),
        };
        table.note(AREA, name, counted_as(REQUEST), got);
    }
    for (name, first, count, expected) in [
        ("blocks from the end of all heights", Height::MAX, u32::MAX, "no blocks"),
        ("the block of genesis", Height::ZERO, u32::MAX, "no blocks"),
        ("no blocks at all", Height::new(1), 0, "no blocks"),
        ("all blocks that there are", Height::new(1), u32::MAX, "blocks, within the bound"),
    ] {
        let ask = Ask::Blocks { first, count }.encode();
        let answer = thief.handle.request(thief.target, ask, limits::ANSWER).await?;
        let blocks = split_blocks(&answer)?;
        let most = probata_node::limits::FETCH_BLOCKS;
        let got = match blocks.len() {
            0 => "no blocks".to_owned(),
            some if some <= most => "blocks, within the bound".to_owned(),
            many => format!("{many} blocks"),
        };
        table.note(AREA, name, expected, got);
    }
    Ok(())
}
