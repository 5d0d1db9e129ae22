//! Hostile inputs to the API, the mesh and the files of a running network: each gets its stated
//! answer, and the network goes on as if nothing had been.

mod aftermath;
mod batches;
mod bodies;
mod evidence;
mod files;
mod forge;
mod http;
mod mesh;
mod parameters;
mod slow;
mod submissions;
mod table;

use crate::NODE;
use forge::Forge;
use http::Api;
use probata_tests::{Trouble, network::Network};
use slow::Slow;
use submissions::Members;
use table::Table;

/// Hostile inputs that are promised.
const AT_LEAST: usize = 250;

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_input_gets_its_answer_and_the_network_goes_on() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    aftermath::seals_and_proves(&mut network).await?;
    let before = aftermath::memory(&network)?;
    let mut table = Table::default();
    let result = send_all(&mut network, &mut table).await;
    let counted = table.finish(AT_LEAST);
    // Where that failed, processes may still be stopped: what comes next would say less.
    result.and(counted)?;
    let after = aftermath::memory(&network)?;
    aftermath::no_growth(&before, &after)?;
    aftermath::seals_and_proves(&mut network).await?;
    aftermath::quiet_logs(&network)?;
    network.finish().await
}

/// Sends everything. The processes of the member node and of the last validator are stopped for a
/// while, so that what they left can be worked on.
async fn send_all(network: &mut Network, table: &mut Table) -> Result<(), Trouble> {
    let api = Api::new(&network.nodes()[0].api)?;
    let mut members = Members { bank: Forge::of(network, 0)?, court: Forge::of(network, 3)? };
    let slow = Slow::start(&api).await?;
    slow::send(&api, table).await?;
    bodies::send(&api, &mut members.bank, table).await?;
    batches::send(&api, &mut members.bank, table).await?;
    let evidence = submissions::send(&api, &mut members, table).await?;
    parameters::send(&api, &members.bank.institution.to_string(), table).await?;
    evidence::judge(network.genesis(), &evidence, table)?;
    let (member, last) = (network.member(), network.member() - 1);
    network.stop(member).await?;
    mesh::send(network, &api, table).await?;
    network.stop(last).await?;
    files::send(network, table).await?;
    network.start_node(last)?;
    network.start_node(member)?;
    network.wait_until_up().await?;
    slow.finish(table).await
}
