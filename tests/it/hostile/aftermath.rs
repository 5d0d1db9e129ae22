//! What must hold after all that was sent: the nodes run as they did, and nothing in their logs or
//! memory tells of it but counts.

use probata_tests::{
    Trouble, check, ensure, limits, load::Acknowledged, network::Network, writer::Writer,
};
use std::{collections::BTreeMap, fs};

/// Memory that a node may hold more after all hostile inputs than before, in KiB. Bodies of 8 MiB
/// and frames of 16 MiB went through it, and the allocator keeps some of what was freed.
const MORE_MEMORY_KIB: u64 = 128 * 1_024;
/// Views that honest validators may come to in a minute of lies; the liar asked for 2^53 - 1.
const VIEWS: u64 = 1_000;
/// What a node logs as an error for what was done here, and is not its fault.
const EXPECTED_ERRORS: [&str; 1] = ["a validator contradicted itself"];

/// Resident memory of every running node, in KiB.
pub(super) fn memory(network: &Network) -> Result<BTreeMap<usize, u64>, Trouble> {
    let mut memory = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let folder = entry?.path();
        let Ok(command) = fs::read(folder.join("cmdline")) else { continue };
        let command = String::from_utf8_lossy(&command).into_owned();
        for node in network.running() {
            let config = network.path(node, "node.toml");
            if command.split('\0').any(|argument| config.as_os_str() == argument) {
                let status = fs::read_to_string(folder.join("status"))?;
                let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
                let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).unwrap_or_default();
                memory.insert(node, kib.trim().parse()?);
            }
        }
    }
    Ok(memory)
}

/// No node has grown by more than the bound.
pub(super) fn no_growth(
    before: &BTreeMap<usize, u64>,
    after: &BTreeMap<usize, u64>,
) -> Result<(), Trouble> {
    ensure(!before.is_empty(), || "the memory of no node was read".to_owned())?;
    for (node, before) in before {
        let Some(after) = after.get(node) else { continue };
        println!("node {node}: {before} KiB before, {after} KiB after");
        ensure(after.saturating_sub(*before) <= MORE_MEMORY_KIB, || {
            format!("node {node} grew from {before} to {after} KiB")
        })?;
    }
    Ok(())
}

/// No node panicked, or logged an error that is not for something that was done to it.
pub(super) fn quiet_logs(network: &Network) -> Result<(), Trouble> {
    for node in 0..network.nodes().len() {
        for line in network.log(node).lines() {
            ensure(!line.contains("panicked"), || format!("node {node} panicked: {line}"))?;
            let expected = EXPECTED_ERRORS.iter().any(|expected| line.contains(expected));
            ensure(expected || !line.contains("ERROR"), || format!("node {node} logged: {line}"))?;
        }
    }
    Ok(())
}

/// A good submission to each validator is sealed, and its evidence from another node is consistent.
pub(super) async fn seals_and_proves(network: &mut Network) -> Result<(), Trouble> {
    let writer = Writer::of(network)?;
    let validators: Vec<usize> = network.validators().collect();
    for node in validators {
        let submission = writer.submission()?;
        let receipt = network.client(&[node], limits::PATIENCE)?.submit(&submission).await?;
        network.wait_for_height(receipt.height().get()).await?;
        let other = network.client(&[(node + 1) % network.nodes().len()], limits::ANSWER)?;
        for acknowledged in Acknowledged::all_of(&receipt) {
            check::proved(&other, &acknowledged).await?;
        }
    }
    for node in network.running() {
        let status = network.status(node).await?;
        ensure(status.halted.is_none() && status.view < VIEWS, || {
            format!("node {node} is not as it was: {status:?}")
        })?;
    }
    check::one_chain(network).await?;
    Ok(())
}
