//! What must hold after all that was done to a network, seen from outside.

use crate::{
    limits,
    load::{Acknowledged, Loaded},
    network::Network,
    trouble::{Trouble, ensure},
    writer::{self, DOCUMENT},
};
use probata_client::{
    light::{self, Given, Level, Request, Verdict},
    sdk::{Client, SealedHeader, limits::PAGE},
};
use probata_types::Height;
use serde_json::Value;
use std::collections::BTreeSet;

/// Records whose checks are under way at once.
const CHECKS_AT_ONCE: usize = 4;

/// Waits until all running nodes are equally high and nothing moves, then compares every header of all
/// of them, whose seals the SDK verifies. The common height.
///
/// # Errors
/// [`Trouble`] if two nodes differ, or do not come to the same height.
pub async fn one_chain(network: &mut Network) -> Result<u64, Trouble> {
    network
        .wait_for("all running nodes at one height", async |network| {
            let mut heights = Vec::new();
            for node in network.running() {
                heights.push(network.status(node).await?.height);
            }
            Ok(heights.windows(2).all(|pair| pair[0] == pair[1]))
        })
        .await?;
    let running = network.running();
    let height = network.highest().await?;
    let first = headers(&network.client(&running[..1], limits::ANSWER)?, height).await?;
    for node in &running[1..] {
        let other = headers(&network.client(&[*node], limits::ANSWER)?, height).await?;
        for (one, two) in first.iter().zip(&other) {
            ensure(one.header == two.header, || {
                let (at, first) = (one.header.height, running[0]);
                let (one, two) = (&one.header, &two.header);
                format!("nodes {first} and {node} differ at height {at}: {one:?} and {two:?}")
            })?;
        }
    }
    Ok(height)
}

/// The headers from 1 to `height`, without a gap.
async fn headers(client: &Client, height: u64) -> Result<Vec<SealedHeader>, Trouble> {
    let mut headers: Vec<SealedHeader> = Vec::new();
    while let Some(from) = missing(&headers, height) {
        let page = client.headers(from, PAGE).await?;
        ensure(!page.is_empty(), || format!("a node has no headers from {from} to {height}"))?;
        headers.extend(page);
    }
    headers.truncate(usize::try_from(height)?);
    Ok(headers)
}

fn missing(headers: &[SealedHeader], height: u64) -> Option<Height> {
    let next = headers.last().map_or(Height::ZERO, |last| last.header.height).next();
    (next.get() <= height).then_some(next)
}

/// Every acknowledged record is on every running node, at the same place with the same outcome; and the
/// light client proves it up to the highest level by evidence of one node, each node in turn.
///
/// # Errors
/// [`Trouble`] naming the first record for which it does not hold.
pub async fn all_hold(network: &Network, acknowledged: &[Acknowledged]) -> Result<(), Trouble> {
    ensure(!acknowledged.is_empty(), || "nothing was acknowledged: nothing was tested".to_owned())?;
    let share = acknowledged.len().div_ceil(CHECKS_AT_ONCE);
    let parts = acknowledged.chunks(share).map(|part| some_hold(network, part));
    futures::future::try_join_all(parts).await.map(drop)
}

async fn some_hold(network: &Network, acknowledged: &[Acknowledged]) -> Result<(), Trouble> {
    let running = network.running();
    let clients = running.iter().map(|node| network.client(&[*node], limits::ANSWER));
    let clients = clients.collect::<Result<Vec<_>, _>>()?;
    for (number, one) in acknowledged.iter().enumerate() {
        let path = format!("/v1/records/{}", one.record);
        let mut first: Option<Value> = None;
        for node in &running {
            let mut answer = network.get(*node, &path).await?;
            // How far a node has read is its own; all the rest must be the same.
            answer["complete_to"] = Value::Null;
            let height = answer["place"]["height"].as_u64();
            ensure(height == Some(one.height.get()), || {
                format!("node {node} has {} at height {height:?}, not {}", one.record, one.height)
            })?;
            ensure(first.as_ref().is_none_or(|first| *first == answer), || {
                format!("node {node} tells another story of {}: {answer}, {first:?}", one.record)
            })?;
            first.get_or_insert(answer);
        }
        proved(&clients[number % clients.len()], one).await?;
    }
    Ok(())
}

/// What the writers of a load sent, and nothing else, is recorded: everything acknowledged, nothing twice,
/// and beyond it only what was still open when the load ended. For a network that had no other writer.
///
/// # Errors
/// [`Trouble`] naming what is missing, twice or unknown.
pub async fn nothing_else(network: &Network, loaded: &Loaded) -> Result<(), Trouble> {
    let client = network.client(&network.running(), limits::ANSWER)?;
    let writer = network.nodes()[0].institution;
    let mut recorded = BTreeSet::new();
    for entry in client.search(&format!("institution={writer}")).await? {
        let id = entry["id"].as_str().unwrap_or_default().to_owned();
        ensure(recorded.insert(id), || format!("a record is there twice: {entry}"))?;
    }
    for one in &loaded.acknowledged {
        let found = recorded.remove(&one.record.to_string());
        ensure(found, || format!("{} was acknowledged and is not found", one.record))?;
    }
    for id in loaded.open.iter().flat_map(|open| open.record_ids()) {
        recorded.remove(&id.to_string());
    }
    ensure(recorded.is_empty(), || format!("nobody sent these: {recorded:?}"))
}

/// A node's evidence of a record of the load, with the document if it binds one, is consistent up to the
/// highest level.
///
/// # Errors
/// [`Trouble`] if it is not.
pub async fn proved(client: &Client, one: &Acknowledged) -> Result<(), Trouble> {
    let file = client.evidence(&one.record, true).await?;
    let bytes = std::fs::read(writer::case_folder().join(DOCUMENT))?;
    let given = [Given { name: DOCUMENT, bytes: &bytes }];
    let report = light::verify_file(
        &file,
        &Request {
            genesis: Some(client.genesis()),
            record: Some(one.record),
            documents: if file.record.documents.is_empty() { &[] } else { &given },
            ..Request::default()
        },
    );
    let consistent =
        matches!(report.verdict, Verdict::Consistent | Verdict::ConsistentWithFindings);
    ensure(consistent && report.level == Some(Level::E5), || {
        let (verdict, level) = (report.verdict, report.level);
        format!("evidence of {}: {verdict:?}, {level:?}, {}", one.record, report.why_not_next)
    })
}
