//! Old blocks in an archive: served from there, told to be there when it cannot be read, and brought back.

use crate::NODE;
use probata_tests::{
    Trouble, check, ensure, limits,
    load::{Acknowledged, Load},
    network::Network,
    segments,
    writer::Writer,
};
use probata_types::{
    List, Submission, codec,
    receipt::{Batch, BatchAnswer, Fate},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Blocks of a segment.
const BLOCKS: usize = 3;

/// Makes a folder for a node's archive, and names it in the node's configuration.
fn name_archive(network: &Network, node: usize) -> Result<PathBuf, Trouble> {
    let folder = network.folder().join(format!("archive-{node}"));
    fs::create_dir(&folder)?;
    let config = network.path(node, "node.toml");
    let text = fs::read_to_string(&config)?;
    let url = format!("file://{}", folder.display());
    fs::write(&config, format!("{text}\n[archive]\nurl = \"{url}\"\n"))?;
    Ok(folder)
}

/// The files of a log that are blocks, or tell of them.
fn log_files(network: &Network, node: usize) -> Result<BTreeMap<String, Vec<u8>>, Trouble> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(network.path(node, "data/log"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("blocks") || name == "archive" {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

fn height(value: &Value) -> Result<u64, Trouble> {
    value.as_u64().ok_or_else(|| Trouble::new(format!("no height: {value}")))
}

/// A network that has sealed some records, and those; and the submission that was the first.
async fn loaded() -> Result<(Network, Submission, Vec<Acknowledged>), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let first = Writer::of(&network)?.submission()?;
    network.client(&[0], limits::PATIENCE)?.submit(&first).await?;
    let mut load = Load::start(&network, 2)?;
    load.wait_for_more(&mut network, 40).await?;
    let acknowledged = load.stop().await?.acknowledged;
    check::one_chain(&mut network).await?;
    Ok((network, first, acknowledged))
}

async fn fsck_is_clean(network: &Network, node: usize) -> Result<Value, Trouble> {
    let report = network.fsck(node).await?;
    ensure(report["clean"] == true, || format!("fsck found damage: {report}"))?;
    Ok(report)
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_records_are_proved_or_told_to_be_away_and_come_back_as_they_were()
-> Result<(), Trouble> {
    let (mut network, first, acknowledged) = loaded().await?;
    let member = network.member();
    network.stop(member).await?;
    let archive = name_archive(&network, member)?;
    let parts = segments::split(&network.path(member, "data"), BLOCKS)?;
    ensure(parts > 4, || format!("{parts} segments are too few"))?;
    let before = log_files(&network, member)?;

    // Nothing is so old yet; and a dry run moves nothing.
    let by_age = network.command(member, &["archive"]).await?;
    ensure(by_age["segments"] == serde_json::json!([]), || format!("it moved {by_age}"))?;
    let all = ["archive", "--before", "1000000"];
    let dry = network.command(member, &[&all[..], &["--dry-run"]].concat()).await?;
    ensure(log_files(&network, member)? == before, || format!("a dry run moved {dry}"))?;
    let moved = network.command(member, &all).await?;
    println!("{parts} segments; archived: {moved}");
    let last = height(&moved["archived_to"])?;
    let left = log_files(&network, member)?;
    ensure(left.len() == 3 && left.contains_key("archive"), || {
        format!("left are {:?}", left.keys())
    })?;
    let report = fsck_is_clean(&network, member).await?;
    ensure(report["from"] == 1 && report["archived_to"].is_null(), || format!("{report}"))?;

    network.start_node(member)?;
    network.wait_until_up().await?;
    let (old, young): (Vec<_>, Vec<_>) =
        acknowledged.iter().partition(|one| one.height.get() <= last);
    ensure(old.len() > 5 && !young.is_empty(), || format!("{} and {}", old.len(), young.len()))?;
    let client = network.client(&[member], limits::PATIENCE)?;
    for one in &acknowledged {
        check::proved(&client, one).await?;
    }

    let records = Records { first: &first, old: &old, young: &young };
    without_archive(&mut network, (member, &archive), &records).await?;

    network.stop(member).await?;
    let undone = network.command(member, &["archive", "undo"]).await?;
    ensure(undone["archived_to"].is_null(), || format!("not all came back: {undone}"))?;
    let after = log_files(&network, member)?;
    let same = before.iter().all(|(name, bytes)| {
        // The node has written on in the last one.
        after.get(name).is_some_and(|after| after.starts_with(bytes))
    });
    let blocks = after.keys().all(|name| name.starts_with("blocks-"));
    ensure(same && blocks, || format!("{:?}, then {:?}", before.keys(), after.keys()))?;
    fsck_is_clean(&network, member).await?;
    network.start_node(member)?;
    network.wait_until_up().await?;
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &acknowledged).await?;
    network.finish().await
}

/// What is in the archive, and what is not.
struct Records<'a> {
    /// A submission that is.
    first: &'a Submission,
    old: &'a [&'a Acknowledged],
    young: &'a [&'a Acknowledged],
}

/// Takes a node's archive away and gives it back.
async fn without_archive(
    network: &mut Network,
    (node, archive): (usize, &Path),
    records: &Records<'_>,
) -> Result<(), Trouble> {
    let Records { first, old, young } = records;
    network.stop(node).await?;
    let away = archive.with_extension("away");
    fs::rename(archive, &away)?;
    let report = fsck_is_clean(network, node).await?;
    let last = old.iter().map(|one| one.height.get()).max().unwrap_or_default();
    ensure(height(&report["archived_to"])? >= last, || format!("{report}"))?;
    ensure(report["state_at"] == report["log"], || format!("{report}"))?;

    another_engine(network, node).await?;
    network.start_node(node)?;
    network.wait_until_up().await?;
    let other = network.path(node, "data/derived/sled");
    ensure(!other.exists(), || "what another engine has left is still there".to_owned())?;
    let client = network.client(&[node], limits::PATIENCE)?;
    for one in *young {
        check::proved(&client, one).await?;
    }
    for one in *old {
        for path in ["", "/evidence"] {
            let path = format!("/v1/records/{}{path}", one.record);
            let (status, answer) = network.ask(node, &path).await?;
            ensure(status == 503 && answer["error"]["code"] == "archived", || {
                format!("{path}: {status} {answer}")
            })?;
        }
    }
    sent_again(network, node, first).await?;
    // It follows as before.
    let receipt = network.client(&[0], limits::PATIENCE)?;
    let receipt = receipt.submit(&Writer::of(network)?.submission()?).await?;
    for one in Acknowledged::all_of(&receipt) {
        network.wait_for_height(one.height.get()).await?;
        check::proved(&client, &one).await?;
    }
    fs::rename(&away, archive)?;
    for one in *old {
        check::proved(&client, one).await?;
    }
    Ok(())
}

/// Another engine would have to be filled from the whole log: the node says so, and leaves the one that is full.
async fn another_engine(network: &Network, node: usize) -> Result<(), Trouble> {
    let text = fs::read_to_string(network.path(node, "node.toml"))?;
    let config = network.path(node, "sled.toml");
    fs::write(&config, format!("{text}\n[store]\nengine = \"sled\"\n"))?;
    let mut process = Command::new(NODE);
    process.args(["run", "--config"]).arg(&config).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(limits::PATIENCE, process.output()).await??;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure(!output.status.success() && said.contains("is in the archive"), || {
        format!("{}: {said}", output.status)
    })?;
    let full = network.path(node, "data/derived/fjall");
    ensure(full.exists(), || "what was derived is gone".to_owned())
}

/// A submission whose block is away is not taken for a new one, and those that come with it have their answers.
async fn sent_again(network: &Network, node: usize, first: &Submission) -> Result<(), Trouble> {
    let (status, answer) = network.post(node, codec::encode(first), 0).await?;
    ensure(status == 503 && answer["error"]["code"] == "archived", || {
        format!("sent again: {status} {answer}")
    })?;
    let submissions = vec![first.clone(), Writer::of(network)?.submission()?];
    let batch = codec::encode(&Batch { submissions: List::new(submissions)? });
    let (status, answer) = network.post_bytes(node, "/v1/batches?wait_ms=10000", batch).await?;
    let answer: BatchAnswer = codec::decode(&answer, answer.len())?;
    let [Fate::Refused { status: 503, problem, .. }, Fate::Sealed { .. }] = &answer.fates[..]
    else {
        return Err(Trouble::new(format!("the batch: {status} {answer:?}")));
    };
    ensure(problem.contains("\"archived\""), || format!("the batch says {problem}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_is_told_that_old_blocks_are_not_here_and_finds_who_has_them()
-> Result<(), Trouble> {
    let (mut network, _, acknowledged) = loaded().await?;
    let member = network.member();
    for node in 0..network.nodes().len() {
        network.stop(node).await?;
    }
    for validator in network.validators() {
        name_archive(&network, validator)?;
        segments::split(&network.path(validator, "data"), BLOCKS)?;
        let moved = network.command(validator, &["archive", "--before", "1000000"]).await?;
        ensure(height(&moved["archived_to"])? > 3, || format!("{moved}"))?;
    }
    // The member node begins anew.
    fs::remove_dir_all(network.path(member, "data"))?;
    network.start_all().await?;
    let mut load = Load::start(&network, 2)?;
    load.wait_for_more(&mut network, 20).await?;
    let more = load.stop().await?.acknowledged;
    let status = network.status(member).await?;
    ensure(status.height == 0, || format!("who has given it the first block? {status:?}"))?;

    network.stop(0).await?;
    network.command(0, &["archive", "undo"]).await?;
    network.start_node(0)?;
    network.wait_until_up().await?;
    check::one_chain(&mut network).await?;
    let client = network.client(&[member], limits::PATIENCE)?;
    for one in acknowledged.iter().chain(&more) {
        check::proved(&client, one).await?;
    }
    network.finish().await
}
