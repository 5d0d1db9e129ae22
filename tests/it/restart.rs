//! Stopping well, starting again, and what may be lost on the way.

use crate::NODE;
use nix::sys::signal::Signal;
use probata_tests::{Trouble, check, ensure, load::Load, network::Network};
use std::fs;
use tokio::process::Command;

/// What a node logs when its derived state lacks blocks of the log.
const REAPPLYING: &str = "re-applying blocks";

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_starts_again_with_nothing_to_apply() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, 4)?;
    load.wait_for_more(&mut network, 20).await?;
    // In the middle of the work, and all of them, so that none is told by another what it forgot.
    for node in 0..network.nodes().len() {
        network.signal(node, Signal::SIGTERM);
    }
    for node in 0..network.nodes().len() {
        let status = network.wait_for_end(node).await?;
        ensure(status.success(), || format!("asked to stop, node {node} ended with {status}"))?;
    }
    for node in 0..network.nodes().len() {
        network.start_node(node)?;
    }
    network.wait_until_up().await?;
    for node in 0..network.nodes().len() {
        let log = network.log(node);
        ensure(log.matches("the node is up").count() == 2, || format!("node {node}: {log}"))?;
        ensure(!log.contains(REAPPLYING), || {
            format!("node {node} stopped well and applied blocks again: {log}")
        })?;
    }
    load.wait_for_more(&mut network, 5).await?;
    let loaded = load.stop().await?;
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    network.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_derived_state_is_made_again_from_the_log() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, 4)?;
    load.wait_for_more(&mut network, 20).await?;
    network.stop(1).await?;
    fs::remove_dir_all(network.path(1, "data/derived"))?;
    network.start_node(1)?;
    network.wait_until_up().await?;
    let log = network.log(1);
    ensure(log.contains(REAPPLYING), || format!("nothing says that blocks were applied: {log}"))?;
    load.wait_for_more(&mut network, 5).await?;
    let loaded = load.stop().await?;
    // The same headers, so the same state roots.
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    network.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_end_of_the_log_comes_back_from_the_others() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, 4)?;
    load.wait_for_more(&mut network, 20).await?;
    // It stops well, so that its derived state is up to its last block.
    network.stop(3).await?;
    let segments = fs::read_dir(network.path(3, "data/log"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().contains("/blocks-"));
    let segment = segments.max().ok_or_else(|| Trouble::new("there is no segment of the log"))?;
    let file = fs::OpenOptions::new().write(true).open(&segment)?;
    let length = file.metadata()?.len();
    // Within the last block: a disk that forgot what it said was written.
    file.set_len(length - 100)?;

    // The derived state has then seen a block that the log does not hold. That is no time to guess.
    network.start_node(3)?;
    let status = network.wait_for_end(3).await?;
    let log = network.log(3);
    let said = log.contains("the log has lost sealed blocks");
    ensure(!status.success() && said, || format!("{status}: {log}"))?;
    println!("with the log behind: {}", log.lines().last().unwrap_or_default());

    // Without the derived state it starts from what the log holds, and fetches the rest.
    fs::remove_dir_all(network.path(3, "data/derived"))?;
    network.start_node(3)?;
    network.wait_until_up().await?;
    load.wait_for_more(&mut network, 5).await?;
    let loaded = load.stop().await?;
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    network.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_lost_its_journal_votes_no_more() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, 4)?;
    load.wait_for_more(&mut network, 10).await?;
    network.stop(2).await?;
    fs::remove_file(network.path(2, "data/log/journal"))?;
    network.start_node(2)?;
    let status = network.wait_for_end(2).await?;
    let log = network.log(2);
    ensure(!status.success(), || format!("it started without its journal: {log}"))?;
    ensure(log.contains("journal is gone"), || format!("it does not say why it stops: {log}"))?;

    // As the error advises: without its key it follows, and the others go on.
    let config = network.path(2, "node.toml");
    let text = fs::read_to_string(&config)?;
    let keyless: Vec<&str> = text.lines().filter(|line| !line.starts_with("validator =")).collect();
    fs::write(&config, keyless.join("\n"))?;
    network.start_node(2)?;
    network.wait_until_up().await?;
    let me = network.status(2).await?.me;
    ensure(me.is_none(), || format!("without its key it still has seat {me:?}"))?;
    load.wait_for_more(&mut network, 5).await?;
    let loaded = load.stop().await?;
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &loaded.acknowledged).await?;
    network.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let config = network.path(0, "node.toml");
    // As a node, with other ports, and as a check of the data.
    let text = fs::read_to_string(&config)?;
    let other = network.path(0, "second.toml");
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("listen =")).collect();
    let mesh = lines.iter().position(|line| *line == "[mesh]");
    lines.insert(mesh.unwrap_or(0) + 1, "listen = [\"/ip4/127.0.0.1/tcp/0\"]");
    let api = lines.iter().position(|line| *line == "[api]");
    lines.insert(api.unwrap_or(0) + 1, "listen = \"127.0.0.1:0\"");
    fs::write(&other, lines.join("\n"))?;
    for command in ["run", "fsck"] {
        let mut process = Command::new(NODE);
        process.args([command, "--config"]).arg(&other).kill_on_drop(true);
        let output =
            tokio::time::timeout(probata_tests::limits::PATIENCE, process.output()).await??;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(!output.status.success(), || format!("{command} ran on data in use: {said}"))?;
        ensure(said.contains("data folder") && said.contains("cannot be used"), || {
            format!("{command} does not say that the data folder is in use: {said}")
        })?;
        println!("{command}: {}", said.trim());
    }
    // Whoever was first is not disturbed.
    let mut load = Load::start(&network, 1)?;
    load.wait_for_more(&mut network, 3).await?;
    check::all_hold(&network, &load.stop().await?.acknowledged).await?;
    network.finish().await
}
