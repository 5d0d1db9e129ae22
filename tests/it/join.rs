//! A member node joins a network by a snapshot of its peers: one of them poisons it, the node is killed on the way, and in
//! the end it holds what one holds that executed everything.

use crate::NODE;
use probata_ledger::{DiskStorage, SnapshotFiles};
use probata_node::devnet::ceremony::Terms;
use probata_tests::{
    Trouble, check, ensure, limits,
    load::{Acknowledged, Load},
    network::Network,
    writer::Writer,
};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Records and submissions of them that make a state of more than one chunk, which is then parted into sixteen.
const RECORDS: usize = 1_000;
const SUBMISSIONS: usize = 28;
/// Blocks between two snapshots.
const EVERY: u64 = 10;
/// The validator whose snapshots are changed, and its first chunk that is.
const LIAR: usize = 1;
const POISONED_FROM: usize = 8;

/// Adds to a node's configuration.
fn configure(network: &Network, node: usize, more: &str) -> Result<(), Trouble> {
    let path = network.path(node, "node.toml");
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    Ok(writeln!(file, "\n{more}")?)
}

/// The folders of a node's snapshots, oldest first.
fn snapshots(network: &Network, node: usize) -> Result<Vec<PathBuf>, Trouble> {
    let Ok(folder) = fs::read_dir(network.path(node, "data/snapshots")) else {
        return Ok(Vec::new());
    };
    let paths = folder.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Trouble>>()?;
    let mut whole: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.join("manifest").exists()).collect();
    whole.sort();
    Ok(whole)
}

/// Changes a byte of many chunks, with checksums that fit.
fn poison(folder: &Path) -> Result<usize, Trouble> {
    let files = SnapshotFiles::new(Arc::new(DiskStorage::open(folder)?));
    let chunks = files.manifest()?.chunks();
    for index in POISONED_FROM..chunks {
        let mut bytes = files.chunk(index)?;
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
            files.put_chunk(index, &bytes)?;
        }
    }
    Ok(chunks)
}

/// Fills the state until it takes many chunks, and waits until every validator has a snapshot of that.
async fn fill(network: &mut Network) -> Result<Vec<Acknowledged>, Trouble> {
    let writer = Writer::of(network)?;
    let client = network.client(&[0, 2, 3], limits::PATIENCE)?;
    let mut acknowledged = Vec::new();
    for _ in 0..SUBMISSIONS {
        let receipt = client.submit(&writer.large_submission(RECORDS)?).await?;
        let some = Acknowledged::all_of(&receipt);
        acknowledged.extend(some.into_iter().step_by(RECORDS / 2));
    }
    let filled = network.highest().await?;
    network
        .wait_for("a snapshot of the full state at every validator", async |network| {
            for node in network.validators() {
                let newest = snapshots(network, node)?.pop();
                let height = newest.as_deref().and_then(Path::file_name).and_then(|it| it.to_str());
                let height = height.and_then(|name| name.parse::<u64>().ok());
                if height.is_none_or(|height| height < filled) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    let metrics = network.text(0, "/metrics").await?;
    let written = metrics.lines().find(|line| line.starts_with("probata_snapshots_written_total"));
    ensure(written.is_some_and(|line| !line.ends_with(" 0")), || format!("counted: {written:?}"))?;
    Ok(acknowledged)
}

/// Waits until a node's log says something.
async fn wait_for_log(network: &mut Network, node: usize, words: &str) -> Result<(), Trouble> {
    let what = format!("node {node} to log {words:?}");
    let said = async |network: &Network| Ok(network.log(node).contains(words));
    network.wait_for(&what, said).await.map(drop)
}

/// The poisoner alone is there: it is named, and what it handed over before that holds stays when the node is killed.
async fn meet_the_liar(network: &mut Network) -> Result<(), Trouble> {
    let member = network.member();
    network.start_node(LIAR)?;
    network.start_node(member)?;
    wait_for_log(network, member, "a peer handed over what does not hold").await?;
    let log = network.log(member);
    let line = log.lines().find(|line| line.contains("does not hold")).unwrap_or_default();
    println!("{line}");
    ensure(line.contains("a chunk of a snapshot") && line.contains("peer="), || {
        format!("the log does not name who poisoned what: {line}")
    })?;
    let kept = |network: &Network| -> Result<usize, Trouble> {
        let files = fs::read_dir(network.path(member, "data/join"))?;
        let names = files.map(|file| Ok(file?.file_name())).collect::<Result<Vec<_>, Trouble>>()?;
        Ok(names.iter().filter(|name| name.to_string_lossy().starts_with("chunk-")).count())
    };
    network.kill(&[member]).await?;
    let kept = kept(network)?;
    println!("{kept} chunks are kept over the kill");
    ensure(kept > 0, || "nothing that holds was kept".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_joins_by_a_snapshot_of_its_peers_whoever_lies_and_whenever_it_is_killed()
-> Result<(), Trouble> {
    let mut network = Network::prepare(NODE, 4, Terms::devnet()).await?;
    let member = network.member();
    for node in network.validators() {
        configure(&network, node, &format!("[snapshot]\nevery = {EVERY}\nkeep = 2"))?;
        network.start_node(node)?;
    }
    configure(&network, member, "[join]\nfrom = \"snapshot\"\n[snapshot]\nkeep = 0")?;
    network.wait_until_up().await?;
    let acknowledged = fill(&mut network).await?;
    for node in network.validators() {
        network.stop(node).await?;
    }
    let mut chunks = 0;
    for folder in snapshots(&network, LIAR)? {
        chunks = poison(&folder)?;
    }
    println!("the newest snapshot has {chunks} chunks");
    ensure(chunks > POISONED_FROM, || format!("{chunks} chunks are too few to be poisoned"))?;
    meet_the_liar(&mut network).await?;

    for node in network.validators().filter(|node| *node != LIAR) {
        network.start_node(node)?;
    }
    network.start_node(member)?;
    network.wait_until_up().await?;
    let log = network.log(member);
    ensure(log.contains("going on with chunks that are here"), || format!("it began anew: {log}"))?;
    let status = network.status(member).await?;
    println!("up at height {}, with the history from {}", status.height, status.history_from);
    ensure(!network.path(member, "data/join").exists(), || "what was gathered is left".to_owned())?;
    // Killed again, with a ledger of which the older part is missing.
    network.kill(&[member]).await?;
    network.start_node(member)?;
    network.wait_until_up().await?;

    // It serves and follows at once, and fills up behind.
    let mut load = Load::start(&network, 2)?;
    load.wait_for_more(&mut network, 6).await?;
    let filled = async |network: &Network| Ok(network.status(member).await?.history_from == 1);
    let took = network.wait_for("every block to be at the member", filled).await?;
    println!("every block is there {took:?} later");
    let mut loaded = load.stop().await?;
    loaded.acknowledged.extend(acknowledged);
    let metrics = network.text(member, "/metrics").await?;
    let older = metrics.lines().find(|line| line.starts_with("probata_ledger_older_blocks_total"));
    println!("{older:?}");
    ensure(older.is_some_and(|line| !line.ends_with(" 0")), || {
        format!("none was fetched: {older:?}")
    })?;
    // All answers are those of the nodes that executed everything, from the first block on.
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    // The whole of its derived state is derived again and compared: nothing tells that it began from a snapshot.
    network.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_has_just_begun_begins_from_the_first_block() -> Result<(), Trouble> {
    let mut network = Network::prepare(NODE, 4, Terms::devnet()).await?;
    for node in 0..network.nodes().len() {
        configure(&network, node, "[join]\nfrom = \"snapshot\"")?;
    }
    network.start_all().await?;
    for node in network.running() {
        let log = network.log(node);
        ensure(log.contains("no peer offers a snapshot"), || format!("node {node}: {log}"))?;
    }
    let client = network.client(&[0], limits::PATIENCE)?;
    client.submit(&Writer::of(&network)?.submission()?).await?;
    check::one_chain(&mut network).await?;
    network.finish().await
}
