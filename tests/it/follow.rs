//! The member node: it has no vote, and serves as any other.

use crate::NODE;
use probata_tests::{
    Trouble, check, ensure, limits,
    load::{Acknowledged, Load},
    network::Network,
    writer::Writer,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_member_node_follows_serves_and_hands_on() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let member = network.member();
    let status = network.status(member).await?;
    ensure(status.me.is_none(), || format!("the member node votes: {status:?}"))?;

    let mut load = Load::start(&network, 2)?;
    load.wait_for_more(&mut network, 10).await?;
    let mut acknowledged = load.stop().await?.acknowledged;

    // A submission that only the member node is given is sealed by the others, and its receipt, made by
    // the member node, holds.
    let client = network.client(&[member], limits::PATIENCE)?;
    for _ in 0..3 {
        let receipt = client.submit(&Writer::of(&network)?.submission()?).await?;
        acknowledged.extend(Acknowledged::all_of(&receipt));
    }
    // The member node alone proves everything, to the highest level.
    for one in &acknowledged {
        check::proved(&client, one).await?;
    }
    let flow = client.evidence(&acknowledged[0].record, false).await?.record.flow;
    let listed = client.flow(&flow).await?;
    ensure(listed.len() == 1, || format!("the flow has one record, it lists {listed:?}"))?;

    // One that was away catches up.
    network.stop(member).await?;
    let mut load = Load::start(&network, 2)?;
    load.wait_for_more(&mut network, 10).await?;
    acknowledged.extend(load.stop().await?.acknowledged);
    network.start_node(member)?;
    network.wait_until_up().await?;
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &acknowledged).await?;
    network.finish().await
}
