//! `probata governance`: motions to change who takes part in the chain, and ballots on them.

mod motion;
mod show;
mod vote;

use super::{
    Common, context,
    failure::Failure,
    output::Output,
    submit::{REJECTED, SPOOL, decision, finish_earlier},
};
use crate::sdk::{Author, Client, FlowWriter, Statement, clock, limits, random, sign};
use clap::{Args, Subcommand};
use probata_types::{
    FlowId, InstitutionId, List,
    body::{Body, ProvenKey},
    record::{DataClass, Phase, Retention},
};
use serde_json::json;
use std::{fs, path::PathBuf};

/// Data security level of governance records: all members may know.
const LEVEL: u8 = 1;

const PROVE_EXAMPLE: &str = "\
Example: probata governance prove-key validator.key.json --institution 5493001KJTIIGC8Y1R12 \\
             --genesis genesis.json

Put what it prints where CHANGE.json has a key. The proof is good for this institution and this chain
only. The key file's secret is not in it.";

#[derive(Debug, Subcommand)]
pub(super) enum GovernanceCommand {
    /// Prove that you hold a key, so that nobody can move to seat or admit a key that is not theirs.
    ///
    /// Needs no network.
    #[command(after_help = PROVE_EXAMPLE)]
    ProveKey {
        /// The key file: a validator's, a node's or one for submissions.
        file: PathBuf,
        /// The institution that the key is to belong to.
        #[arg(long, value_name = "CODE")]
        institution: InstitutionId,
    },
    /// Move that something be changed.
    Move(motion::MoveArguments),
    /// Vote on a motion, with what your node sees of the validators to come.
    Vote(vote::VoteArguments),
    /// Show a motion: who voted how, and what is missing.
    Show(show::ShowArguments),
    /// List motions, the newest first.
    List(show::ListArguments),
}

pub(super) async fn run(
    command: &GovernanceCommand,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    match command {
        GovernanceCommand::ProveKey { file, institution } => {
            let genesis = context::genesis(common)?;
            let pair = context::read_key(file)?.pair;
            let proven = ProvenKey::new(genesis.suite(), &genesis.chain(), institution, &pair);
            let value = json!({ "key": proven.key, "proof": proven.proof });
            output.answer(&format!("{value:#}"), &value);
            Ok(0)
        }
        GovernanceCommand::Move(arguments) => motion::run(arguments, common, output).await,
        GovernanceCommand::Vote(arguments) => vote::run(arguments, common, output).await,
        GovernanceCommand::Show(arguments) => show::show(arguments, common, output).await,
        GovernanceCommand::List(arguments) => show::list(arguments, common, output).await,
    }
}

/// Who speaks, and where what was said is kept.
#[derive(Debug, Args)]
struct Speaker {
    /// Folder for the evidence file; the current one by default. What was sent and has no receipt
    /// yet waits there too.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Who submits, if genesis does not name the key.
    #[arg(long, value_name = "CODE")]
    institution: Option<InstitutionId>,
}

impl Speaker {
    fn out(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    fn client(&self, common: &Common) -> Result<Client, Failure> {
        context::client(common, Some(self.out().join(SPOOL)))
    }

    /// Submits one record in a flow of its own, stores its evidence, and says what became of it.
    async fn say(
        &self,
        (kind, body): (&str, Body),
        (client, common): (&Client, &Common),
        output: &mut Output,
    ) -> Result<(FlowId, u8), Failure> {
        let out = self.out();
        fs::create_dir_all(&out).map_err(|error| Failure::file(&out, &error))?;
        let key = context::key(common)?;
        let author = context::author(client.genesis(), &key, self.institution)?;
        finish_earlier(client, &out, output).await?;
        let flow = random::flow().map_err(|error| Failure::local(error.to_string()))?;
        let (now, rule_pack) = (clock::now(), client.genesis().rule_pack().version);
        let mut writer = FlowWriter::new(author, flow);
        let (record, one) = writer.append(Statement {
            phase: Phase::P00,
            occurred_at: now,
            rule_pack,
            data_class: DataClass::C1,
            level: LEVEL,
            // As long as anything that the institution keeps.
            retention: Retention::LoanFile,
            documents: List::empty(),
            body,
        });
        let submission = sign(vec![one], &author, &key, now, limits::LIFETIME)?;
        let receipt = client.submit(&submission).await?;
        let decided = receipt.decisions().next().zip(receipt.evidence(0));
        let ((_, outcome), evidence) = decided.ok_or_else(|| Failure::local("an empty receipt"))?;
        let path = out.join(format!("{kind}-{flow}.evidence.json"));
        crate::sdk::write_evidence(&evidence, &path)?;
        let height = receipt.height();
        let Author { institution, .. } = author;
        output.line(&format!(
            "{kind} of {institution} at height {height}: {}\n  flow {flow}\n  evidence {}",
            decision(outcome),
            path.display()
        ));
        output.value(&json!({
            "kind": kind,
            "flow": flow,
            "record": record,
            "height": height,
            "outcome": outcome,
            "evidence": path,
        }));
        Ok((flow, if outcome.is_accepted() { 0 } else { REJECTED }))
    }
}
