//! What one record costs on an idle network: records are submitted to a running devnet one at a time, and each is
//! timed from before it is signed until its evidence is verified.
//!
//! `cargo run --release --example one_at_a_time -- --dir devnet`
#![expect(clippy::print_stdout, reason = "an example talks to its terminal")]

use clap::Parser;
use probata_client::{
    light::{self, Request},
    sdk::{Author, Client, ClientConfig, FlowWriter, Statement, clock, limits, random, sign},
};
use probata_genesis::{Genesis, KeyFile, KeyUse};
use probata_types::{
    InstitutionId, Keypair, List, Text,
    body::{
        AccessActor, AccessBasis, AccessOperation, AccessOutcome, AccessTarget, Body, DataAccess,
    },
    evidence::EvidenceFile,
    record::{Commitment, DataClass, Phase, Retention, Salt},
};
use std::{
    error::Error,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Times single records on a running devnet.
#[derive(Debug, Parser)]
struct Arguments {
    /// The devnet's folder, with genesis and keys.
    #[arg(long, default_value = "devnet")]
    dir: PathBuf,
    /// Records to submit.
    #[arg(long, default_value_t = 500)]
    records: usize,
    /// Records before the clock counts, to open connections and warm caches.
    #[arg(long, default_value_t = 20)]
    warm_up: usize,
    /// Pause between two records, in milliseconds, so that the network is idle again.
    #[arg(long, default_value_t = 10)]
    pause_ms: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let genesis = Genesis::parse(&fs::read(arguments.dir.join("genesis.json"))?)?;
    let devnet: serde_json::Value =
        serde_json::from_slice(&fs::read(arguments.dir.join("devnet.json"))?)?;
    let node = devnet["nodes"]
        .as_array()
        .and_then(|nodes| nodes.iter().find(|node| node["name"] == "data"));
    let node = node.ok_or("devnet.json names no node `data`")?;
    let text = |key: &str| node[key].as_str().ok_or("devnet.json is not complete");
    let institution: InstitutionId = text("institution")?.parse()?;
    let key = fs::read(arguments.dir.join("data/submission.key.json"))?;
    let pair = KeyFile::parse_for(KeyUse::Submission, &key)?;
    let client = Client::new(ClientConfig {
        nodes: vec![text("api")?.to_owned()],
        genesis: genesis.clone(),
        deadline: limits::DEADLINE,
        spool: None,
    })?;
    let (times, last) = submit(&arguments, &genesis, &client, institution, &pair).await?;
    report(times, &genesis, &last)
}

async fn submit(
    arguments: &Arguments,
    genesis: &Genesis,
    client: &Client,
    institution: InstitutionId,
    pair: &Keypair,
) -> Result<(Vec<Duration>, EvidenceFile)> {
    let author = Author { suite: genesis.suite(), chain: genesis.chain(), institution };
    let mut writer = FlowWriter::new(author, random::flow()?);
    let mut times = Vec::with_capacity(arguments.records);
    let mut last = None;
    for number in 0..arguments.warm_up + arguments.records {
        let started = Instant::now();
        let now = clock::now();
        let (_, record) = writer.append(statement(institution, now)?);
        let submission = sign(vec![record], &author, pair, now, Duration::from_secs(60))?;
        let receipt = client.submit(&submission).await?;
        if number >= arguments.warm_up {
            times.push(started.elapsed());
        }
        last = receipt.evidence(0);
        tokio::time::sleep(Duration::from_millis(arguments.pause_ms)).await;
    }
    Ok((times, last.ok_or("no record was submitted")?))
}

fn statement(institution: InstitutionId, now: probata_types::Timestamp) -> Result<Statement> {
    let salt: Salt = random::salt()?;
    let suite = probata_types::Suite::Blake3Ed25519;
    Ok(Statement {
        phase: Phase::P03,
        occurred_at: now,
        rule_pack: 1,
        data_class: DataClass::C2,
        level: 3,
        retention: Retention::Log,
        documents: List::empty(),
        body: Body::DataAccess(Box::new(DataAccess {
            system: Text::new("benchmark")?,
            actor: AccessActor::Service(Text::new("benchmark")?),
            role: Text::new("benchmark")?,
            recipient: institution,
            operation: AccessOperation::Read,
            target: AccessTarget::Query(Commitment::new(suite, "target.query", &salt, b"query")),
            field_set: Text::new("benchmark")?,
            data_class: Text::new("benchmark")?,
            rows: 1,
            purpose: Text::new("benchmark")?,
            basis: AccessBasis::None,
            application: None,
            ticket: None,
            outcome: AccessOutcome::Denied,
            masking_policy: None,
            from_province: None,
            to_province: None,
            at: now,
        })),
    })
}

fn report(mut times: Vec<Duration>, genesis: &Genesis, last: &EvidenceFile) -> Result<()> {
    times.sort_unstable();
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1_000];
    println!(
        "{} records, one at a time, signed to verified evidence: p50 {:.1?}, p99 {:.1?}, max {:.1?}",
        times.len(),
        at(500),
        at(990),
        at(1_000)
    );
    let json = last.to_json()?;
    println!("evidence file: {} bytes", json.len());
    const ROUNDS: u32 = 200;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let request =
            Request { evidence: json.as_bytes(), genesis: Some(genesis), ..Request::default() };
        if light::verify(&request).level.is_none() {
            return Err("the evidence does not verify".into());
        }
    }
    println!("verified from its text in {:.2?} (mean of {ROUNDS})", started.elapsed() / ROUNDS);
    Ok(())
}
