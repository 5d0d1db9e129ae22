//! Real loans to feed a running devnet with: every loan of the German credit data becomes a flow of
//! records, and a hundred evidence files drawn at random are verified.
//!
//! `cargo run --release --example german_credit -- german_credit.csv --dir devnet`
#![expect(clippy::print_stdout, reason = "an example talks to its terminal")]

mod loan;
mod table;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use probata_client::{
    light::Verdict,
    sdk::{
        Author, Client, ClientConfig, FlowWriter, OnDisk, OpeningsFile, clock, limits, random,
        sign, verify_on_disk, write_evidence,
    },
};
use probata_genesis::{Genesis, KeyFile, KeyUse, SubjectKey};
use probata_types::{
    InstitutionId, Keypair, Record, RecordId, Submission, codec, limits::RECORDS_PER_SUBMISSION,
    record::document_name_field,
};
use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use table::Row;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Canonical bytes of one submission's records; a node takes 2 MiB.
const BATCH_BYTES: usize = 1_024 * 1_024;

/// Feed the German credit data to a running devnet, and verify what came of it.
#[derive(Debug, Parser)]
struct Arguments {
    /// The table, as CSV with a header line.
    table: PathBuf,
    /// The devnet's folder, with genesis and keys.
    #[arg(long, default_value = "devnet")]
    dir: PathBuf,
    /// A node's API; those of the devnet by default.
    #[arg(long = "node")]
    nodes: Vec<String>,
    /// Submissions on their way at once.
    #[arg(long, default_value_t = 4)]
    in_flight: usize,
    /// Records to gather in one submission; a loan is never split.
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Loans to take; all by default.
    #[arg(long)]
    loans: Option<usize>,
    /// Evidence files to draw and verify.
    #[arg(long, default_value_t = 100)]
    verify: usize,
    /// Decides which.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("german_credit: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let devnet = Devnet::read(arguments)?;
    let mut rows = table::read(&fs::read_to_string(&arguments.table)?)?;
    rows.truncate(arguments.loans.unwrap_or(rows.len()));
    let out = arguments.dir.join("german_credit");
    fs::create_dir_all(&out)?;
    // What an interrupted run left behind is sealed first; its records are not counted here.
    devnet.client.resume().await?;
    let batches = devnet.batches(&rows, &out, arguments.batch)?;
    let total: usize = batches.iter().map(|batch| batch.submission.records.len()).sum();
    println!("{} loans, {total} records in {} submissions", rows.len(), batches.len());

    let started = Instant::now();
    let (known, rejected) = submit(&devnet.client, batches, arguments.in_flight, total).await?;
    let elapsed = started.elapsed();
    let rate = known.len() as u128 * 1_000 / elapsed.as_millis().max(1);
    println!("{} records sealed and verified in {elapsed:.1?}: {rate} records/s", known.len());
    println!("{rejected} rejected");
    let consistent = verify(&devnet, &rows, known, &out, arguments).await?;
    Ok(consistent && rejected == 0)
}

/// A running devnet, as the bank sees it.
struct Devnet {
    client: Client,
    genesis: Genesis,
    bank: InstitutionId,
    key: Keypair,
    subject_key: SubjectKey,
}

/// A signed submission, and which loan each record is of.
struct Batch {
    submission: Submission,
    loans: Vec<usize>,
}

/// A sealed record of a loan.
struct Known {
    record: RecordId,
    loan: usize,
}

impl Devnet {
    fn read(arguments: &Arguments) -> Result<Self> {
        let dir = &arguments.dir;
        let genesis = Genesis::parse(&fs::read(dir.join("genesis.json"))?)?;
        let subject_key = SubjectKey::parse(&fs::read(dir.join("subject.key.json"))?)?;
        genesis.check_subject_key(subject_key.as_bytes())?;
        let path = dir.join("bank/submission.key.json");
        let key = KeyFile::parse_for(KeyUse::Submission, &fs::read(path)?)?;
        let public = key.public();
        let bank = genesis.entries().find(|entry| entry.keys.contains(&public));
        let bank = bank.ok_or("genesis does not name the bank's key")?.id;
        let nodes = match arguments.nodes.as_slice() {
            [] => nodes(dir)?,
            named => named.to_vec(),
        };
        let client = Client::new(ClientConfig {
            nodes,
            genesis: genesis.clone(),
            deadline: limits::DEADLINE,
            spool: Some(dir.join("german_credit/spool")),
        })?;
        Ok(Self { client, genesis, bank, key, subject_key })
    }

    /// All loans as signed submissions. The openings are on disk before this returns.
    fn batches(&self, rows: &[Row], out: &Path, most: usize) -> Result<Vec<Batch>> {
        let (suite, chain) = (self.genesis.suite(), self.genesis.chain());
        let author = Author { suite, chain, institution: self.bank };
        let pack = self.genesis.rule_pack();
        let book = loan::Book {
            suite,
            bank: self.bank,
            subject_key: self.subject_key.as_bytes(),
            rule_pack: pack.version,
            today: clock::now().date(pack.utc_offset_minutes),
        };
        let (mut batches, mut gathered) = (Vec::new(), Gathered::default());
        for row in rows {
            let mut writer = FlowWriter::new(author, random::flow()?);
            let mut own = Gathered::default();
            for told in loan::tell(&book, row)? {
                let (id, record) = writer.append(told.statement);
                own.openings.push(OpeningsFile::new(chain, id, told.book.openings()));
                own.bytes += codec::encode(&record).len();
                own.records.push(record);
                own.loans.push(row.number);
            }
            let records = gathered.records.len() + own.records.len();
            let full = records > most.min(RECORDS_PER_SUBMISSION)
                || gathered.bytes + own.bytes > BATCH_BYTES;
            if full && !gathered.records.is_empty() {
                batches.push(self.close(std::mem::take(&mut gathered), &author, out)?);
            }
            gathered.add(own);
        }
        if !gathered.records.is_empty() {
            batches.push(self.close(gathered, &author, out)?);
        }
        Ok(batches)
    }

    fn close(&self, gathered: Gathered, author: &Author, out: &Path) -> Result<Batch> {
        let Gathered { records, loans, openings, .. } = gathered;
        let lifetime = Duration::from_secs(3_600);
        let submission = sign(records, author, &self.key, clock::now(), lifetime)?;
        let path = out.join(format!("{}.openings.json", submission.id()));
        fs::write(path, serde_json::to_vec(&openings)?)?;
        Ok(Batch { submission, loans })
    }
}

/// Loans that go into one submission.
#[derive(Default)]
struct Gathered {
    records: Vec<Record>,
    loans: Vec<usize>,
    openings: Vec<OpeningsFile>,
    bytes: usize,
}

impl Gathered {
    fn add(&mut self, other: Self) {
        self.records.extend(other.records);
        self.loans.extend(other.loans);
        self.openings.extend(other.openings);
        self.bytes += other.bytes;
    }
}

fn nodes(dir: &Path) -> Result<Vec<String>> {
    let file: serde_json::Value = serde_json::from_slice(&fs::read(dir.join("devnet.json"))?)?;
    let nodes = file.pointer("/nodes").and_then(serde_json::Value::as_array);
    let apis = nodes.into_iter().flatten().filter_map(|node| node.pointer("/api")?.as_str());
    Ok(apis.map(str::to_owned).collect())
}

/// Submits with so many on their way at once, and tells what was sealed and how much was rejected.
async fn submit(
    client: &Client,
    batches: Vec<Batch>,
    in_flight: usize,
    total: usize,
) -> Result<(Vec<Known>, usize)> {
    let bar = ProgressBar::new(total as u64).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} records  {per_sec}  {elapsed} (still {eta})",
    )?);
    let (mut known, mut rejected) = (Vec::with_capacity(total), 0);
    let mut waiting = batches.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < in_flight.max(1) {
            let Some(batch) = waiting.next() else { break };
            let client = client.clone();
            running.spawn(async move { (client.submit(&batch.submission).await, batch.loans) });
        }
        let Some(joined) = running.join_next().await else { break };
        let (receipt, loans) = joined?;
        let receipt = receipt.map_err(|error| format!("{error}; {}", error.action()))?;
        for ((record, outcome), loan) in receipt.decisions().zip(loans) {
            if outcome.is_accepted() {
                known.push(Known { record, loan });
            } else {
                rejected += 1;
                bar.println(format!("loan {loan}: {outcome:?}"));
            }
        }
        bar.inc(receipt.decisions().len() as u64);
    }
    bar.finish();
    Ok((known, rejected))
}

/// Fetches the evidence of records drawn at random, stores it beside the documents, and judges the
/// files.
async fn verify(
    devnet: &Devnet,
    rows: &[Row],
    mut known: Vec<Known>,
    out: &Path,
    arguments: &Arguments,
) -> Result<bool> {
    let mut random = SplitMix(arguments.seed);
    known.sort_by_key(|one| one.record);
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut consistent = true;
    for _ in 0..arguments.verify.min(known.len()) {
        let at = usize::try_from(random.next() % known.len() as u64)?;
        let Known { record, loan } = known.swap_remove(at);
        let mut file = devnet.client.evidence(&record, true).await?;
        if let Some(row) = rows.iter().find(|row| row.number == loan) {
            fs::write(out.join(loan::document_name(row)), &row.line)?;
        }
        disclose_name(&mut file, out)?;
        let path = out.join(format!("{record}.evidence.json"));
        write_evidence(&file, &path)?;
        let evidence = fs::read(&path)?;
        let report = verify_on_disk(&OnDisk {
            path: &path,
            evidence: &evidence,
            documents: &[],
            genesis: Some(&devnet.genesis),
            as_of: None,
            second_source: None,
            checkpoint: None,
            explain: false,
        });
        *verdicts.entry(report.verdict.en()).or_default() += 1;
        if !matches!(report.verdict, Verdict::Consistent | Verdict::ConsistentWithFindings) {
            consistent = false;
            println!("{}: {}", path.display(), report.conclusion.en);
        }
    }
    println!("Evidence files drawn at random (seed {}), verified from disk:", arguments.seed);
    for (verdict, count) in verdicts {
        println!("  {count:>5}  {verdict}");
    }
    Ok(consistent)
}

/// Shows the document's name in the evidence of a record that binds one.
fn disclose_name(file: &mut probata_types::EvidenceFile, out: &Path) -> Result<()> {
    if file.record.documents.is_empty() {
        return Ok(());
    }
    let path = out.join(format!("{}.openings.json", file.submission.head.id()));
    let all: Vec<OpeningsFile> = serde_json::from_slice(&fs::read(path)?)?;
    let id = file.record_id();
    let own = all.iter().find(|one| one.record == id).ok_or("its openings are missing")?;
    own.disclose(file, [document_name_field(0).as_str()])?;
    Ok(())
}

/// Sebastiano Vigna's `SplitMix64`: the same seed draws the same files.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
