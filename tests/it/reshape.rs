//! A consortium of real processes that changes while it works: 4 validators, 5, and 4 others.

use crate::NODE;
use probata_node::devnet::ceremony::Terms;
use probata_tests::{
    Trouble, check,
    council::{self, Council},
    ensure, limits,
    load::{Acknowledged, Load, Loaded},
    network::Network,
    writer::Writer,
};
use probata_types::{body::Change, catalogue::failure, object::MotionStatus};

/// Heights from a motion to the change that it asks for: the new ones connect meanwhile.
const LEAD: u64 = 20;
/// Heights at which an old key is good beside the new one.
const OVERLAP: u64 = 200;
/// The institution that gets a seat, and the one whose keys are replaced and for which the load writes.
const NEW: u16 = 4;
const BANK: u16 = 0;

/// Puts a change of the set into force everywhere, under load.
async fn put(
    network: &mut Network,
    council: &mut Council,
    load: &mut Load,
    change: Change,
) -> Result<(), Trouble> {
    let first = council.approve(network, change, LEAD).await?;
    let waited = council::wait_for_epoch(network, first).await?;
    println!(
        "another set seals from height {first} on; everybody is there {waited:?} after its approval"
    );
    load.wait_for_more(network, 6).await
}

/// Five need four, and two of them are down.
async fn refused_while_too_few_are_seen(
    network: &mut Network,
    council: &mut Council,
) -> Result<(), Trouble> {
    network.stop(usize::from(NEW)).await?;
    network.stop(3).await?;
    let change = council.seats(network, &[NEW], &[], council::FIRST_KEY)?;
    let status = council.decide(network, change, LEAD).await?;
    println!("{}", council::said(status));
    let expected = MotionStatus::Refused { code: failure::LIVE_QUORUM };
    ensure(status == expected, || format!("the motion is {}", council::said(status)))?;
    network.start_all().await?;
    network.wait_for_height(network.highest().await?).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_come_and_go_and_keys_are_replaced_under_load() -> Result<(), Trouble> {
    let terms = Terms { candidates: 1, ..Terms::devnet() };
    let mut network = Network::prepare(NODE, 4, terms).await?;
    council::give_next_key(&network, BANK)?;
    network.start_all().await?;
    let mut council = Council::of(&network)?;
    let mut load = Load::start(&network, 3)?;
    load.wait_for_more(&mut network, 6).await?;
    refused_while_too_few_are_seen(&mut network, &mut council).await?;

    let grow = council.seats(&network, &[NEW], &[], council::FIRST_KEY)?;
    put(&mut network, &mut council, &mut load, grow).await?;
    let rotate = council.seats(&network, &[BANK], &[], council::NEXT_KEY)?;
    put(&mut network, &mut council, &mut load, rotate).await?;
    let rotation = council.rotate_submission(&mut network, BANK, OVERLAP).await?;
    load.wait_for_more(&mut network, 3).await?;
    load.sign_with(rotation.new.clone());
    let shrink = council.seats(&network, &[], &[1], council::FIRST_KEY)?;
    put(&mut network, &mut council, &mut load, shrink).await?;

    // Three of the four seal, with the new one among them and without one of the first.
    network.kill(&[2]).await?;
    load.wait_for_more(&mut network, 6).await?;
    for (node, votes) in [(0, true), (1, false), (3, true), (4, true)] {
        let me = network.status(node).await?.me;
        ensure(me.is_some() == votes, || format!("node {node} has seat {me:?}"))?;
    }
    network.start_all().await?;
    council.must_refuse(&mut network, &rotation).await?;

    // Who left follows, and serves.
    let mut loaded = load.stop().await?;
    let client = network.client(&[1], limits::PATIENCE)?;
    let receipt = client.submit(&Writer::of(&network)?.submission()?).await?;
    loaded.acknowledged.extend(Acknowledged::all_of(&receipt));
    prove(&mut network, &council, loaded).await?;
    for node in network.running() {
        network.stop(node).await?;
    }
    network.start_all().await?;
    check::one_chain(&mut network).await?;
    network.finish().await
}

/// All that was acknowledged is everywhere, with evidence that shows the three changes.
async fn prove(
    network: &mut Network,
    council: &Council,
    mut loaded: Loaded,
) -> Result<(), Trouble> {
    let mut others = Vec::new();
    for (number, one) in &council.acknowledged {
        if *number == BANK { loaded.acknowledged.push(*one) } else { others.push(*one) }
    }
    check::one_chain(network).await?;
    check::all_hold(network, &others).await?;
    check::all_hold(network, &loaded.acknowledged).await?;
    check::nothing_else(network, &loaded).await?;
    for node in network.running() {
        let client = network.client(&[node], limits::ANSWER)?;
        let shown = client.evidence(&loaded.acknowledged[0].record, false).await?.sets.len();
        ensure(shown == 3, || format!("node {node} shows {shown} changes of the set"))?;
    }
    Ok(())
}
