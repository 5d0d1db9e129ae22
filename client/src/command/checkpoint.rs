//! `probata checkpoint` and `probata compare`: a sealed header to keep, and whether nodes tell one history.

use super::{
    Common, context,
    failure::Failure,
    output::{Output, table},
};
use crate::{
    light::{Verdict, verify_checkpoint},
    sdk::{ClientError, write_checkpoint},
};
use clap::{Args, Subcommand};
use probata_types::{Checkpoint, Height};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum CheckpointCommand {
    /// Fetch the newest header that all nodes named have, compare, check its seal, and write it.
    ///
    /// Name nodes of several institutions: what they all show is worth keeping.
    /// Example: probata checkpoint new --node http://a:7101 --node http://b:7101 --out court.checkpoint.json
    New {
        /// Write it here.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Of this height instead of the newest.
        #[arg(long, value_name = "HEIGHT")]
        height: Option<u64>,
    },
    /// Check, without a network, that the validators that genesis leads to sealed a checkpoint.
    Verify {
        /// The checkpoint.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0, they agree; 3, they show two sealed headers of one height: the chain has forked."
)]
pub(super) struct CompareArguments {
    /// Compare at this height instead of the newest that all have.
    #[arg(long, value_name = "HEIGHT")]
    height: Option<u64>,
    /// If they differ, write what each shows into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// What one node shows.
struct Shown {
    node: String,
    checkpoint: Checkpoint,
}

pub(super) async fn new(
    (out, height): (&PathBuf, Option<u64>),
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let shown = shown_by_each(common, height).await?;
    if differ(&shown) {
        return Ok(report(&shown, output));
    }
    let first = &shown[0].checkpoint;
    write_checkpoint(first, out)?;
    let header = &first.header;
    let text = format!(
        "{}: header {} of height {}, {}; shown by {} nodes{}",
        out.display(),
        header.hash(),
        header.height,
        header.time,
        shown.len(),
        if shown.len() == 1 { ". Name nodes of other institutions too" } else { "" },
    );
    output.answer(&text, &value(&shown));
    Ok(0)
}

pub(super) fn verify(
    file: &std::path::Path,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let (checkpoint, genesis) = (context::read_checkpoint(file)?, context::genesis(common)?);
    let header = &checkpoint.header;
    let told = format!("header {} of height {}, {}", header.hash(), header.height, header.time);
    let result = verify_checkpoint(&checkpoint, &genesis);
    let (code, text) = match &result {
        Ok(()) => {
            (0, format!("一致 Consistent: {told}, sealed by the validators that genesis leads to"))
        }
        Err(error) => {
            (Verdict::Inconsistent.exit_code(), format!("不一致 Inconsistent: {told}: {error}"))
        }
    };
    let why = result.err().map(|error| error.to_string());
    output.answer(
        &text,
        &json!({ "holds": why.is_none(), "why": why, "height": header.height, "hash": header.hash(), "time": header.time }),
    );
    Ok(code)
}

pub(super) async fn compare(
    arguments: &CompareArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    if common.nodes.len() < 2 {
        let action = "add --node URL for each node to compare";
        return Err(Failure::usage("two nodes or more are compared", action));
    }
    let shown = shown_by_each(common, arguments.height).await?;
    if let (true, Some(folder)) = (differ(&shown), &arguments.out) {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        for (at, one) in shown.iter().enumerate() {
            write_checkpoint(&one.checkpoint, &folder.join(format!("node-{at}.checkpoint.json")))?;
        }
    }
    Ok(report(&shown, output))
}

/// What each node shows of one height, its seal checked.
async fn shown_by_each(common: &Common, height: Option<u64>) -> Result<Vec<Shown>, Failure> {
    let clients = context::client_of_each(common)?;
    let height = match height {
        Some(height) => height,
        None => {
            let mut lowest = u64::MAX;
            for (_, client) in &clients {
                let status = client.status().await?;
                let height = status.get("height").and_then(Value::as_u64);
                lowest = lowest.min(height.unwrap_or_default());
            }
            lowest
        }
    };
    if !(1..=Height::MAX.get()).contains(&height) {
        let none = ClientError::NotFound(format!("a sealed block of height {height}"));
        return Err(none.into());
    }
    let mut shown = Vec::with_capacity(clients.len());
    for (node, client) in clients {
        let checkpoint = client.checkpoint(Height::new(height)).await?;
        shown.push(Shown { node, checkpoint });
    }
    Ok(shown)
}

fn differ(shown: &[Shown]) -> bool {
    let hash = |one: &Shown| one.checkpoint.header.hash();
    shown.windows(2).any(|pair| hash(&pair[0]) != hash(&pair[1]))
}

/// Prints what the nodes show; the exit code tells whether they agree.
fn report(shown: &[Shown], output: &mut Output) -> u8 {
    let row = |one: &Shown| {
        let header = &one.checkpoint.header;
        let (height, hash, time) = (header.height, header.hash(), header.time);
        vec![one.node.clone(), height.to_string(), hash.to_string(), time.to_string()]
    };
    output.line(&table(&["NODE", "HEIGHT", "HEADER", "TIME"], shown.iter().map(row).collect()));
    let verdict = if differ(shown) { Verdict::Forked } else { Verdict::Consistent };
    let (zh, en) = (verdict.zh(), verdict.en());
    output.line(&format!("{zh} {en}"));
    output.value(&value(shown));
    verdict.exit_code()
}

fn value(shown: &[Shown]) -> Value {
    let of = |one: &Shown| {
        let header = &one.checkpoint.header;
        json!({ "node": one.node, "height": header.height, "hash": header.hash(), "time": header.time })
    };
    json!({ "agree": !differ(shown), "nodes": shown.iter().map(of).collect::<Vec<_>>() })
}
