//! The live table of a devnet.
#![expect(clippy::float_arithmetic, reason = "rates for people; nothing here is agreed on")]

use super::{DevnetError, Network, ceremony::DevnetNode};
use comfy_table::{Table, presets};
use probata_client::sdk::Client;
use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Time between two tables on a terminal.
const LIVE_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two tables in a file or pipe.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// Longest wait for what a node says of itself.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// Shows the table until no node runs any more. One that ends is shown as such: the others go on.
pub(super) async fn watch(network: &mut Network, clients: &[Client]) -> Result<(), DevnetError> {
    let live = std::io::stdout().is_terminal();
    let http = reqwest::Client::new();
    let mut earlier: Vec<Option<Sample>> = vec![None; clients.len()];
    let mut lines = 0;
    loop {
        let ended = network.ended();
        if ended.iter().all(Option::is_some) {
            return network.check();
        }
        let looks =
            network.nodes.iter().zip(clients).map(|(node, client)| look(&http, node, client));
        let looks = futures::future::join_all(looks).await;
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "node",
            "height",
            "view",
            "leader",
            "records/s",
            "finality p50",
            "p99",
            "peers",
            "pending",
        ]);
        for (at, (status, sample)) in looks.into_iter().enumerate() {
            let name = &network.nodes[at].name;
            table.add_row(match (&ended[at], status) {
                (Some(how), _) => absent(name, "ended", how),
                (None, None) => absent(name, "no answer", ""),
                (None, Some(status)) => {
                    row(&network.nodes, at, &status, (sample.as_ref(), earlier[at].as_ref()))
                }
            });
            earlier[at] = sample;
        }
        if live && lines > 0 {
            // Up over the last table, and clear from there.
            let _ = write!(std::io::stdout(), "\x1b[{lines}A\x1b[J");
        }
        let text = table.trim_fmt();
        lines = text.lines().count();
        say!("{text}");
        // A closed terminal ends the devnet by its signal, not here.
        let _ = std::io::stdout().flush();
        tokio::time::sleep(if live { LIVE_INTERVAL } else { LOG_INTERVAL }).await;
    }
}

/// The row of a node that says nothing, with what is known of it instead.
fn absent(name: &str, what: &str, why: &str) -> Vec<String> {
    let cells = [name, what, "", "", "", "", "", "", why];
    cells.map(str::to_owned).to_vec()
}

type Look = (Option<serde_json::Value>, Option<Sample>);

/// What a node says of itself, as far as it says it in time.
async fn look(http: &reqwest::Client, node: &DevnetNode, client: &Client) -> Look {
    let both = futures::future::join(client.status(), Sample::take(http, &node.api));
    match tokio::time::timeout(ANSWER_TIME, both).await {
        Ok((status, sample)) => (status.ok(), sample),
        Err(_) => (None, None),
    }
}

fn row(
    nodes: &[DevnetNode],
    at: usize,
    status: &serde_json::Value,
    (sample, earlier): (Option<&Sample>, Option<&Sample>),
) -> Vec<String> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let leader = text(&status["leader"]["institution"]);
    let leader = nodes.iter().find(|node| node.institution.to_string() == leader);
    let rate = match (sample, earlier) {
        (Some(now), Some(then)) => {
            let seconds = now.at.duration_since(then.at).as_secs_f64();
            format!("{:.0}", (now.records - then.records).max(0.0) / seconds)
        }
        _ => "-".to_owned(),
    };
    let quantile = |q: f64| sample.and_then(|it| it.quantile(q)).unwrap_or_else(|| "-".to_owned());
    vec![
        nodes[at].name.clone(),
        text(&status["height"]),
        text(&status["view"]),
        leader.map_or_else(|| "-".to_owned(), |node| node.name.clone()),
        rate,
        quantile(0.5),
        quantile(0.99),
        format!("{}/{}", text(&status["peers_connected"]), text(&status["peers"])),
        text(&status["pending"]),
    ]
}

/// What a node's `/metrics` said.
#[derive(Debug, Clone)]
struct Sample {
    at: Instant,
    records: f64,
    /// Upper bound in seconds and count of seals up to it, ascending.
    buckets: Vec<(f64, f64)>,
}

impl Sample {
    async fn take(http: &reqwest::Client, api: &str) -> Option<Self> {
        let reply = http.get(format!("{api}/metrics")).send().await.ok()?;
        Some(Self::parse(&reply.text().await.ok()?))
    }

    fn parse(text: &str) -> Self {
        let mut sample = Self { at: Instant::now(), records: 0.0, buckets: Vec::new() };
        for line in text.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            if name == "probata_sealed_records_total" {
                sample.records = value;
            }
            if let Some(bound) = name.strip_prefix("probata_seal_seconds_bucket{le=\"") {
                let bound = bound.trim_end_matches("\"}").parse().unwrap_or(f64::INFINITY);
                sample.buckets.push((bound, value));
            }
        }
        sample
    }

    /// The upper bound of the bucket that holds the quantile.
    fn quantile(&self, q: f64) -> Option<String> {
        let (_, all) = self.buckets.last()?;
        let (bound, _) =
            self.buckets.iter().find(|(_, count)| *count > 0.0 && *count >= all * q)?;
        Some(format!("≤ {:.0} ms", bound * 1_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_read_from_the_histogram() {
        let text = "# TYPE probata_seal_seconds histogram\n\
            probata_seal_seconds_bucket{le=\"0.01\"} 90\nprobata_seal_seconds_bucket{le=\"0.02\"} 99\n\
            probata_seal_seconds_bucket{le=\"+Inf\"} 100\nprobata_sealed_records_total 7\n";
        let sample = Sample::parse(text);
        assert_eq!(sample.quantile(0.5).as_deref(), Some("≤ 10 ms"));
        assert_eq!(sample.quantile(0.99).as_deref(), Some("≤ 20 ms"));
        assert!(sample.records > 6.9);
    }
}
