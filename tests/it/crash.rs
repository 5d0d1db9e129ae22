//! Processes that are killed, as by a power cut, while they work.

use crate::NODE;
use nix::sys::signal::Signal;
use probata_tests::{Trouble, check, ensure, load::Load, network::Network, seed::Seeded};
use std::time::{Duration, Instant};

/// Writers at once: enough that blocks hold several submissions.
const WRITERS: usize = 6;
/// Rounds of killing all validators.
const ROUNDS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_replaced_and_catches_up_when_it_is_back() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, WRITERS)?;
    load.wait_for_more(&mut network, 20).await?;

    let witness = usize::from(network.leader(0).await? == 0);
    let leader = network.leader(witness).await?;
    let before = network.status(witness).await?;
    network.kill(&[leader]).await?;
    let stall = longest_pause(&mut network, witness, before.height + 20).await?;
    let views = network.status(witness).await?.view_changes - before.view_changes;
    println!(
        "leader {leader} killed: sealing resumed, longest pause {stall:?}, {views} views left"
    );
    load.wait_for_more(&mut network, 20).await?;

    network.start_node(leader)?;
    network.wait_until_up().await?;
    let caught_up = network.wait_for_height(network.highest().await?).await?;
    println!("the killed leader caught up {caught_up:?} after it answered again");
    load.wait_for_more(&mut network, 20).await?;

    let loaded = load.stop().await?;
    let height = check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    check::nothing_else(&network, &loaded).await?;
    println!("{} records on all nodes, {height} blocks", loaded.acknowledged.len());
    network.finish().await
}

/// Watches a node until it is at `height`: the longest time between two seals on the way.
async fn longest_pause(
    network: &mut Network,
    node: usize,
    height: u64,
) -> Result<Duration, Trouble> {
    let (mut longest, mut last, mut at) = (Duration::ZERO, Instant::now(), 0);
    let what = format!("height {height} at node {node}");
    network
        .wait_for(&what, async |network| {
            let now = network.status(node).await?.height;
            if now > at {
                longest = longest.max(last.elapsed());
                (last, at) = (Instant::now(), now);
            }
            Ok(now >= height)
        })
        .await?;
    Ok(longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_validators_killed_ten_times_lose_nothing_that_was_acknowledged() -> Result<(), Trouble>
{
    let (seed, mut seeded) = Seeded::from_environment();
    println!("seed {seed}; PROBATA_TEST_SEED={seed} makes the same choices again");
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, WRITERS)?;
    let mut longest = Duration::ZERO;
    for round in 1..=ROUNDS {
        // Every other round strikes while the nodes still recover from the one before.
        if round % 2 == 1 {
            load.wait_for_more(&mut network, 3).await?;
        }
        tokio::time::sleep(seeded.millis(0, 700)).await;
        let mut order: Vec<usize> = network.validators().collect();
        // The member node is now and then among the dead.
        if seeded.number().is_multiple_of(2) {
            order.push(network.member());
        }
        seeded.shuffle(&mut order);
        for node in &order {
            tokio::time::sleep(seeded.millis(0, 60)).await;
            network.signal(*node, Signal::SIGKILL);
        }
        network.kill(&order).await?;
        seeded.shuffle(&mut order);
        let restart = Instant::now();
        for node in order {
            network.start_node(node)?;
            tokio::time::sleep(seeded.millis(0, 60)).await;
        }
        network.wait_until_up().await?;
        if round % 2 == 0 {
            load.wait_for_more(&mut network, 1).await?;
            let took = restart.elapsed();
            longest = longest.max(took);
            println!("round {round}: {took:?} from restart to the next receipt");
        }
    }
    let loaded = load.stop().await?;
    let height = check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    check::nothing_else(&network, &loaded).await?;
    let records = loaded.acknowledged.len();
    println!("{records} records on all nodes, {height} blocks, longest restart {longest:?}");
    network.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_stood_still_catches_up() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, WRITERS)?;
    load.wait_for_more(&mut network, 10).await?;
    let still = network.leader(0).await?;
    network.signal(still, Signal::SIGSTOP);
    let others: Vec<usize> = network.validators().filter(|node| *node != still).collect();
    let before = network.status(others[0]).await?.height;
    tokio::time::sleep(Duration::from_secs(4)).await;
    network
        .wait_for("seals without the one that stands still", async |network| {
            Ok(network.status(others[0]).await?.height > before + 5)
        })
        .await?;
    network.signal(still, Signal::SIGCONT);
    let target = network.status(others[0]).await?.height;
    let caught_up = network.wait_for_height(target).await?;
    println!("after 4 s of standing still, caught up in {caught_up:?}");
    load.wait_for_more(&mut network, 10).await?;

    let loaded = load.stop().await?;
    ensure(network.status(still).await?.halted.is_none(), || "it no longer votes".to_owned())?;
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    check::nothing_else(&network, &loaded).await?;
    network.finish().await
}
