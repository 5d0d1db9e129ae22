//! What a court does: a folder of files, the genesis document, the `probata` command, and no network.

use crate::{NODE, PROBATA, chain::faults};
use probata_client::{
    case::{self, Folders, NotarisedRecord, Participant},
    light::Verdict,
};
use probata_genesis::{KeyFile, KeyUse, SubjectKey};
use probata_tests::{Trouble, ensure, limits, network::Network, writer::case_folder};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Output,
};
use tokio::process::Command;

/// Notarises the sample case into a folder.
pub(crate) async fn notarise(
    network: &Network,
    out: &Path,
) -> Result<Vec<NotarisedRecord>, Trouble> {
    let mut participants = BTreeMap::new();
    for (number, node) in network.nodes().iter().enumerate() {
        let key = fs::read(network.path(number, "submission.key.json"))?;
        let signer = Box::new(KeyFile::parse_for(KeyUse::Submission, &key)?);
        let participant = Participant { institution: node.institution, signer };
        participants.insert(node.name.clone(), participant);
    }
    let subject_key = SubjectKey::parse(&fs::read(network.folder().join("subject.key.json"))?)?;
    let client = network.client(&[0, 1, 2, 3], limits::PATIENCE)?;
    let folders = Folders { case: &case_folder(), out };
    Ok(case::run(folders, &participants, &subject_key, &client).await?)
}

/// What a court was handed.
struct Files {
    folder: PathBuf,
    genesis: PathBuf,
}

impl Files {
    /// `probata verify NAME.evidence.json …` in a namespace without any network.
    async fn verify(&self, name: &str, with_genesis: bool) -> Result<(i32, Value), Trouble> {
        let mut arguments = vec!["verify".into(), "--json".into()];
        arguments.push(self.folder.join(format!("{name}.evidence.json")).into_os_string());
        if with_genesis {
            arguments.extend(["--genesis".into(), self.genesis.clone().into_os_string()]);
        }
        let output = without_network(&arguments).await?;
        let report = serde_json::from_slice(&output.stdout).map_err(|error| {
            let said = String::from_utf8_lossy(&output.stderr);
            Trouble::new(format!("verify of {name} printed no report: {error}; {said}"))
        })?;
        Ok((output.status.code().unwrap_or(-1), report))
    }

    async fn expect(&self, name: &str, genesis: bool, verdict: Verdict) -> Result<Value, Trouble> {
        let (code, report) = self.verify(name, genesis).await?;
        let fits = i32::from(verdict.exit_code()) == code
            && report["verdict"] == serde_json::to_value(verdict)?;
        ensure(fits, || format!("{name}: not {verdict:?}, but exit code {code}: {report}"))?;
        Ok(report)
    }
}

/// Runs `probata` where there is no network at all: as root in a new network namespace, else in one of a
/// user namespace. A system that permits neither fails the test, for it shows nothing.
async fn without_network(arguments: &[std::ffi::OsString]) -> Result<Output, Trouble> {
    let mut refused = String::new();
    for flags in ["-n", "-rn"] {
        let probe = Command::new("unshare").args([flags, "true"]).output().await?;
        if probe.status.success() {
            let mut command = Command::new("unshare");
            command.args([flags, PROBATA]).args(arguments).kill_on_drop(true);
            return Ok(tokio::time::timeout(limits::PATIENCE, command.output()).await??);
        }
        refused = String::from_utf8_lossy(&probe.stderr).into_owned();
    }
    Err(Trouble::new(format!("`unshare -n` and `unshare -rn` are not permitted here: {refused}")))
}

fn copy(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_court_verifies_the_case_with_no_network() -> Result<(), Trouble> {
    let network = Network::start(NODE, 4).await?;
    let court = tempfile::tempdir()?;
    let folder = court.path().join("case");
    let records = notarise(&network, &folder).await?;
    let genesis = court.path().join("genesis.json");
    fs::write(&genesis, network.genesis().to_json())?;
    // From here on there is no chain any more: only files.
    network.finish().await?;

    let files = Files { folder: folder.clone(), genesis: genesis.clone() };
    ensure(records.len() >= 8, || format!("the case has {} records", records.len()))?;
    for record in &records {
        let (code, report) = files.verify(&record.name, true).await?;
        ensure(code == 0 && report["level"] == "E5", || format!("{}: {report}", record.name))?;
        println!("{}: {} {}", record.name, report["level"], report["conclusion"]["zh"]);
    }

    // One byte of a document changed.
    let changed = Files { folder: court.path().join("changed"), genesis };
    copy(&folder, &changed.folder)?;
    let contract = changed.folder.join("contract.txt");
    let mut bytes = fs::read(&contract)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&contract, &bytes)?;
    changed.expect("contract", true, Verdict::Inconsistent).await?;
    // It is one record's document: the others stay what they were.
    ensure(changed.verify("guarantee", true).await?.0 == 0, || "guarantee too".to_owned())?;

    // A document missing.
    fs::remove_file(&contract)?;
    let report = changed.expect("contract", true, Verdict::Indeterminate).await?;
    let said = report["conclusion"]["en"].as_str().unwrap_or_default();
    ensure(said.contains("document"), || format!("it does not say what is missing: {said}"))?;

    // Nobody's word for who the validators are.
    let report = files.expect("contract", false, Verdict::Indeterminate).await?;
    let said = report["conclusion"]["en"].as_str().unwrap_or_default();
    ensure(said.contains("genesis"), || format!("it does not say what is missing: {said}"))
}

/// Blame is evidence too: two files and genesis, no network.
#[tokio::test]
async fn a_court_verifies_a_fault_with_no_network() -> Result<(), Trouble> {
    let (cluster, fault, evidence) = faults::recorded_case()?;
    let court = tempfile::tempdir()?;
    let path = |name: &str| court.path().join(name);
    fs::write(path("genesis.json"), cluster.genesis().to_json())?;
    fs::write(path("x.evidence.json"), evidence.to_json()?)?;
    fs::write(path("x.fault.json"), faults::file_of(&fault).to_json())?;
    let verify = async |evidence: Option<&str>| -> Result<(i32, Value), Trouble> {
        let mut arguments = vec!["verify-fault".into(), "--json".into()];
        arguments.extend([path("x.fault.json").into_os_string(), "--genesis".into()]);
        arguments.push(path("genesis.json").into_os_string());
        if let Some(evidence) = evidence {
            arguments.extend(["--evidence".into(), path(evidence).into_os_string()]);
        }
        let output = without_network(&arguments).await?;
        let report = serde_json::from_slice(&output.stdout)?;
        Ok((output.status.code().unwrap_or(-1), report))
    };
    let (code, report) = verify(Some("x.evidence.json")).await?;
    ensure(code == 0, || format!("proven: exit code {code}, {report}"))?;
    let (code, report) = verify(None).await?;
    ensure(code == 2, || format!("without evidence of the seats: exit code {code}, {report}"))?;

    // One letter of a signature changed.
    let mut file: Value = serde_json::from_slice(&fs::read(path("x.fault.json"))?)?;
    let signature = &mut file["first"]["signature"];
    let text = signature.as_str().ok_or_else(|| Trouble::new("no signature"))?;
    let other = if text.starts_with('0') { "1" } else { "0" };
    *signature = format!("{other}{}", &text[1..]).into();
    fs::write(path("x.fault.json"), file.to_string())?;
    let (code, report) = verify(Some("x.evidence.json")).await?;
    ensure(code == 1, || format!("a changed signature: exit code {code}, {report}"))
}
