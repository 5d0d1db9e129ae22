//! `probata submit` and `probata notarise`: from drafts to evidence files.

use super::{
    Common, context,
    failure::Failure,
    output::{Output, table},
};
use crate::sdk::{Client, Draft, Names, NotarisedRecord, Notary, Order, Submitter, write_evidence};
use clap::Args;
use probata_types::{InstitutionId, Outcome, catalogue, outcome::Code, record::DocumentRole};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Where submissions wait, below the out folder.
pub(super) const SPOOL: &str = ".probata-spool";

/// The exit code when a record was rejected.
pub(super) const REJECTED: u8 = 1;

#[derive(Debug, Args)]
pub(super) struct To {
    /// Folder for NAME.evidence.json, NAME.openings.json (SECRET salts) and copies of the
    /// documents; the first draft's by default. What was sent and has no receipt yet waits there
    /// too.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Who submits, if genesis does not name the key.
    #[arg(long, value_name = "CODE")]
    institution: Option<InstitutionId>,
    /// A committed field whose value the evidence shows, such as contract_no. Documents' names are
    /// shown.
    #[arg(long, value_name = "FIELD")]
    disclose: Vec<String>,
}

const SUBMIT_EXAMPLE: &str = "\
Examples:
  probata draft loan_contract > loan.draft.json      (then fill it in)
  probata submit loan.draft.json --key bank.key.json --subject-key subject.key.json \\
      --genesis genesis.json --node http://127.0.0.1:7101

All drafts go into one submission. Drafts that name the same flow belong together; a flow given in
hex is continued. What an earlier run could not finish is sent first.";

#[derive(Debug, Args)]
#[command(after_help = SUBMIT_EXAMPLE)]
pub(super) struct SubmitArguments {
    /// Draft files, each with one draft or a list of them.
    #[arg(required = true)]
    drafts: Vec<PathBuf>,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: probata notarise note.pdf --draft collection.draft.json --role notice …"
)]
pub(super) struct NotariseArguments {
    /// The document.
    document: PathBuf,
    /// The draft of the record that binds it; see `probata draft`.
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// What the document is to the record: contract, notice, voucher, …
    #[arg(long, value_name = "ROLE", default_value = "other", value_parser = role)]
    role: DocumentRole,
    #[command(flatten)]
    to: To,
}

pub(super) async fn submit(
    arguments: &SubmitArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let mut drafts = Vec::new();
    for path in &arguments.drafts {
        let folder = folder_of(path);
        drafts.extend(Draft::read(path)?.into_iter().map(|draft| (folder.clone(), draft)));
    }
    send(drafts, &arguments.to, common, output).await
}

pub(super) async fn notarise(
    arguments: &NotariseArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let document = std::path::absolute(&arguments.document)
        .map_err(|error| Failure::file(&arguments.document, &error))?;
    let mut drafts = Draft::read(&arguments.draft)?;
    let [draft] = drafts.as_mut_slice() else {
        let message = format!("{} holds {} drafts", arguments.draft.display(), drafts.len());
        return Err(Failure::usage(
            message,
            "name a file with the one draft that binds the document",
        ));
    };
    draft.bind(document, arguments.role);
    let folder = folder_of(&arguments.draft);
    let drafts = drafts.into_iter().map(|draft| (folder.clone(), draft)).collect();
    send(drafts, &arguments.to, common, output).await
}

async fn send(
    drafts: Vec<(PathBuf, Draft)>,
    to: &To,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let Some((first, _)) = drafts.first() else {
        return Err(Failure::usage("no draft is given", "see `probata draft`"));
    };
    let out = to.out.clone().unwrap_or_else(|| first.clone());
    let client = context::client(common, Some(out.join(SPOOL)))?;
    let genesis = client.genesis();
    let key = context::key(common)?;
    let subject_key = context::subject_key(common, genesis)?;
    let author = context::author(genesis, &key, to.institution)?;
    finish_earlier(&client, &out, output).await?;
    let mut names = Names::default();
    for entry in genesis.entries() {
        names.institutions.insert(entry.name.zh.to_string(), entry.id);
        names.institutions.insert(entry.name.en.to_string(), entry.id);
        names.institutions.insert(entry.id.to_string(), entry.id);
    }
    let mut notary = Notary::new(&client, subject_key.as_ref(), &out, names)?;
    let order = |(folder, draft)| Order { draft, folder, disclose: &to.disclose };
    let orders: Vec<Order<'_>> =
        drafts.iter().map(|(folder, draft)| order((folder.as_path(), draft))).collect();
    let submitter = Submitter { institution: author.institution, signer: &key };
    let notarised = notary.notarise(submitter, &orders).await?;
    for one in &notarised {
        // Sealed and stored it is; with the flow's history the file shows more.
        if let Err(error) = notary.refresh(one, &to.disclose).await {
            output.line(&format!("{}: evidence without the flow's history: {error}", one.name));
        }
    }
    print(&notarised, output);
    let all_accepted = notarised.iter().all(|one| one.outcome.is_accepted());
    Ok(if all_accepted { 0 } else { REJECTED })
}

/// Sends what waits from an earlier run, and stores the evidence under the records' ids.
pub(super) async fn finish_earlier(
    client: &Client,
    out: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    for resumed in client.resume().await? {
        let receipt = resumed.result?;
        for (at, (record, _)) in receipt.decisions().enumerate() {
            let evidence = receipt.evidence(at).expect("a receipt has the proof of each record");
            write_evidence(&evidence, &out.join(format!("{record}.evidence.json")))?;
        }
        let (id, count) = (resumed.id, receipt.decisions().len());
        output.line(&format!("finished an earlier submission: {id}, {count} records"));
    }
    Ok(())
}

fn print(notarised: &[NotarisedRecord], output: &mut Output) {
    let rows = notarised.iter().map(|one| {
        let file = one.evidence.display().to_string();
        vec![one.name.clone(), decision(&one.outcome), one.record.to_string(), file]
    });
    output.line(&table(&["NAME", "OUTCOME", "RECORD", "EVIDENCE"], rows.collect()));
    let values: Vec<Value> = notarised
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "record": one.record,
                "flow": one.flow,
                "outcome": one.outcome,
                "evidence": one.evidence,
                "documents": one.documents,
            })
        })
        .collect();
    output.value(&json!({ "records": values }));
}

/// An outcome in one line.
pub(super) fn decision(outcome: &Outcome) -> String {
    let name = |code: &Code| {
        catalogue::entry(*code).map_or_else(|| code.to_string(), |entry| entry.name.to_owned())
    };
    match outcome {
        Outcome::Rejected { code } => {
            let text = catalogue::entry(*code).map_or("", |entry| entry.en);
            format!("REJECTED {}: {text}", name(code))
        }
        Outcome::Accepted { findings } if findings.is_empty() => "accepted".to_owned(),
        Outcome::Accepted { findings } => {
            let names: Vec<String> = findings.iter().map(name).collect();
            format!("accepted, findings: {}", names.join(", "))
        }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

fn role(text: &str) -> Result<DocumentRole, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| error.to_string())
}
