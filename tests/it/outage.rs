//! Too few validators to agree: nothing is acknowledged, and nothing that waits is lost.

use crate::NODE;
use probata_client::sdk::{ClientError, Failing};
use probata_tests::writer::Writer;
use probata_tests::{Trouble, check, ensure, limits, load::Acknowledged, network::Network};
use probata_types::codec;
use std::time::Duration;

/// Time in which nothing may be sealed: several timeouts of a view.
const SILENCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn two_of_four_acknowledge_nothing_and_three_go_on() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let writer = Writer::of(&network)?;
    let everybody = network.client(&[0, 1, 2, 3], limits::ANSWER)?;
    everybody.submit(&writer.submission()?).await?;
    network.stop(2).await?;
    network.stop(3).await?;
    check::one_chain(&mut network).await?;
    let before = network.highest().await?;

    // A node says within the wait that it took the submission and has no seal.
    let waiting = writer.submission()?;
    let (status, answer) = network.post(0, codec::encode(&waiting), 1_000).await?;
    ensure(status == 202 && answer["status"] == "pending", || {
        format!("with two of four, the answer was {status} {answer}")
    })?;
    // The SDK says at its deadline that nothing is acknowledged, and what each node did.
    let patient = network.client(&[2, 3, 0, 1], SILENCE)?;
    let unsealed = writer.submission()?;
    match patient.submit(&unsealed).await {
        Err(error @ ClientError::Pending { .. }) => {
            ensure(error.is_temporary(), || "the error says not to try again".to_owned())?;
            let ClientError::Pending { id, tried } = &error else { unreachable!("just matched") };
            ensure(*id == unsealed.id(), || format!("the error names another one: {error}"))?;
            let unreachable = tried.iter().filter(|t| matches!(t.what, Failing::Unreachable(_)));
            ensure(unreachable.count() >= 2, || format!("who was away is not said: {error}"))?;
            println!("with two of four: {error}");
        }
        other => return Err(Trouble::new(format!("with two of four, the SDK said {other:?}"))),
    }
    let after = network.highest().await?;
    ensure(before == after, || format!("two of four sealed heights {before} to {after}"))?;
    for submission in [&waiting, &unsealed] {
        let stands = network.get(0, &format!("/v1/submissions/{}", submission.id())).await?;
        ensure(stands["status"] == "pending", || format!("it does not wait: {stands}"))?;
    }

    network.start_node(2)?;
    network.wait_until_up().await?;
    let resumed = network.wait_for_height(before + 1).await?;
    println!("three of four: sealing again {resumed:?} after the third answered");
    // Sent again, both get their receipt: they waited, and are recorded once.
    let mut acknowledged = Vec::new();
    for submission in [&waiting, &unsealed] {
        let receipt = network.client(&[0, 1, 2], limits::PATIENCE)?.submit(submission).await?;
        acknowledged.extend(Acknowledged::all_of(&receipt));
    }
    network.start_node(3)?;
    network.wait_until_up().await?;
    check::one_chain(&mut network).await?;
    check::all_hold(&network, &acknowledged).await?;
    network.finish().await
}
