//! `probata watch`: new blocks as they are sealed, each seal checked.

use super::{Common, context, failure::Failure, output::Output};
use crate::sdk::{Client, ClientError, SealedHeader, clock};
use clap::Args;
use probata_types::Height;
use serde_json::{Value, json};
use std::time::Duration;

/// Time between two looks at a chain that has nothing new.
const POLL: Duration = Duration::from_millis(500);
/// Headers fetched at once while catching up.
const AT_ONCE: usize = 100;

#[derive(Debug, Args)]
#[command(
    after_help = "Example: probata watch --node http://127.0.0.1:7101 --genesis genesis.json"
)]
pub(super) struct WatchArguments {
    /// The first height to print; the next one to be sealed by default.
    #[arg(long, value_name = "HEIGHT",
          value_parser = clap::value_parser!(u64).range(1..=Height::MAX.get()))]
    from: Option<u64>,
    /// Stop after so many blocks.
    #[arg(long, value_name = "BLOCKS")]
    count: Option<u64>,
}

pub(super) async fn run(
    arguments: &WatchArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let client = context::client(common, None)?;
    let mut next = match arguments.from {
        Some(height) => Height::new(height),
        None => tip(&client).await?.saturating_add(1),
    };
    let mut left = arguments.count.unwrap_or(u64::MAX);
    let offset = client.genesis().rule_pack().utc_offset_minutes;
    while left > 0 {
        let headers = match client.headers(next, AT_ONCE).await {
            // A height that is not sealed yet.
            Err(ClientError::NotFound(_)) => Vec::new(),
            other => other?,
        };
        if headers.is_empty() {
            tokio::time::sleep(POLL).await;
        }
        for sealed in headers {
            if left == 0 {
                break;
            }
            print(&sealed, offset, output);
            next = sealed.header.height.saturating_add(1);
            left -= 1;
        }
    }
    Ok(0)
}

/// The height that the node has sealed last, by its own word: only where to begin.
async fn tip(client: &Client) -> Result<Height, ClientError> {
    let status = client.status().await?;
    let height = status.pointer("/height").and_then(Value::as_u64).unwrap_or_default();
    Ok(Height::ZERO.saturating_add(height))
}

fn print(sealed: &SealedHeader, offset_minutes: i32, output: &mut Output) {
    let header = &sealed.header;
    let text = format!(
        "{}  {} records  {} submissions  view {}  {} signatures  {}  {}",
        header.height,
        header.record_count,
        header.submission_count,
        sealed.seal.view,
        sealed.seal.votes.len(),
        clock::show(header.time, offset_minutes),
        header.hash().short(),
    );
    output.line(&text);
    output.value(&json!({ "hash": header.hash(), "header": header, "seal": sealed.seal }));
}
