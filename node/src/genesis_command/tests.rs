use super::*;
use clap::Parser;
use probata_genesis::{Genesis, KeyFile, KeyUse, Parameters, SubjectKey, limits};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: GenesisCommand,
}

/// A folder in which a ceremony is held, one command line at a time.
struct Ceremony(TempDir);

/// Four institutions with valid codes: a bank, a guarantor, a data provider, a court.
const INSTITUTIONS: [(&str, &str); 4] = [
    ("91100000100003962T", "bank"),
    ("91330100799655058B", "guarantor"),
    ("5493001KJTIIGC8Y1R12", "data_provider"),
    ("213800WAVVOPS85N2205", "court"),
];

const RULE_PACK: &str = include_str!("../../../genesis/networks/rule-pack.json");

impl Ceremony {
    fn new() -> Self {
        let ceremony = Self(tempfile::tempdir().unwrap());
        fs::write(ceremony.path("rules.json"), RULE_PACK).unwrap();
        ceremony
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command line; `@name` stands for a file of the ceremony.
    fn run(&self, line: &str) -> Result<Answer, CommandError> {
        let folder = format!("{}/", self.0.path().display());
        let words = line.split_whitespace().map(|word| word.replace('@', &folder));
        let line = Line::try_parse_from(std::iter::once("genesis".to_owned()).chain(words));
        execute(line.unwrap_or_else(|error| panic!("{error}")).command)
    }

    fn make_entry(&self, number: usize, more: &str) -> Result<Answer, CommandError> {
        let (id, role) = INSTITUTIONS[number];
        self.run(&format!(
            "entry --dir @{number} --id {id} --name-zh 机构{number} --name-en Institution{number} \
             --role {role} --group group{number} --chain-name test --out @{number}.json {more}"
        ))
    }

    /// Keys and entries of all four, and the subject key.
    fn prepared() -> Self {
        let ceremony = Self::new();
        for number in 0..4 {
            ceremony.run(&format!("keys --dir @{number}")).unwrap();
            let address = format!("--address /ip4/127.0.0.1/tcp/{}", 7_001 + number);
            ceremony.make_entry(number, &address).unwrap();
        }
        ceremony.run("subject-key --out @subject.json").unwrap();
        ceremony
    }

    fn assemble(&self, more: &str) -> Result<Answer, CommandError> {
        self.run(&format!(
            "assemble --chain-name test --rule-pack @rules.json --subject-key @subject.json {more}"
        ))
    }
}

const ENTRIES: &str = "--entry @0.json @1.json @2.json @3.json --created-at 1790000000000";

fn error(result: Result<Answer, CommandError>) -> (u8, String) {
    match result {
        Ok(answer) => panic!("it was done: {}", answer.text),
        Err(error) => (error.exit_code(), error.to_string()),
    }
}

#[test]
fn four_institutions_hold_the_ceremony() {
    let ceremony = Ceremony::prepared();
    let answer = ceremony.assemble(&format!("{ENTRIES} --out @genesis.json")).unwrap();
    let genesis = Genesis::parse(&fs::read(ceremony.path("genesis.json")).unwrap()).unwrap();
    let chain = genesis.chain().to_string();
    assert!(answer.text.contains(&chain));
    assert_eq!(answer.json["chain"], chain);
    assert_eq!(genesis.parameters(), &Parameters::recommended());

    let line = format!("check @genesis.json --subject-key @subject.json --expect {chain}");
    let answer = ceremony.run(&line).unwrap();
    let said = [
        &chain,
        "n = 4: f = 1 ",
        "q = 3",
        "机构2",
        "data_provider",
        "group3",
        "(is the one given)",
    ];
    for said in said {
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
    }
    assert_eq!(answer.json["validators"]["q"], 3);
    assert_eq!(answer.json["groups"]["group3"], 1);
    assert_eq!(answer.json["institutions"].as_array().unwrap().len(), 4);

    // Whoever assembles the same files in another order has the same chain.
    let line = "--entry @3.json --entry @1.json @0.json --entry @2.json --created-at 1790000000000";
    let answer = ceremony.assemble(&format!("{line} --out @again.json")).unwrap();
    assert_eq!(answer.json["chain"], chain);
}

#[test]
fn secrets_are_for_their_owner_and_never_shown() {
    let ceremony = Ceremony::new();
    let keys = ceremony.run("keys --dir @deep/folder").unwrap();
    let subject = ceremony.run("subject-key --out @subject.json").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&ceremony.path("deep/folder")), 0o700);
    let mut secrets = Vec::new();
    for purpose in [KeyUse::Submission, KeyUse::Validator, KeyUse::Node] {
        let path = ceremony.path(&format!("deep/folder/{purpose}.key.json"));
        assert_eq!(mode(&path), 0o600);
        let pair = KeyFile::parse_for(purpose, &fs::read(&path).unwrap()).unwrap();
        assert!(keys.text.contains(&pair.public().to_string()));
        secrets.push(hex::encode(*pair.secret()));
    }
    assert_eq!(mode(&ceremony.path("subject.json")), 0o600);
    let key = SubjectKey::parse(&fs::read(ceremony.path("subject.json")).unwrap()).unwrap();
    secrets.push(hex::encode(key.as_bytes()));
    let shown = [keys.text, pretty(&keys.json), subject.text, pretty(&subject.json)].concat();
    for (at, secret) in secrets.iter().enumerate() {
        assert!(!shown.contains(secret.as_str()));
        assert!(!secrets[..at].contains(secret), "every secret is drawn anew");
    }
}

#[test]
fn nothing_is_overwritten() {
    let ceremony = Ceremony::prepared();
    let files = ["0/validator.key.json", "0.json", "subject.json"];
    let before = files.map(|name| fs::read(ceremony.path(name)).unwrap());
    // With one of the three left, none is made.
    fs::remove_file(ceremony.path("0/submission.key.json")).unwrap();
    let (code, text) = error(ceremony.run("keys --dir @0"));
    assert_eq!(code, 2);
    assert!(text.contains("validator.key.json exists"), "{text}");
    assert!(!ceremony.path("0/submission.key.json").exists());
    ceremony.run("keys --dir @other").unwrap();
    assert_eq!(error(ceremony.run("subject-key --out @subject.json")).0, 2);
    assert_eq!(error(ceremony.make_entry(1, "")).0, 2);
    assert_eq!(error(ceremony.assemble(&format!("{ENTRIES} --out @0.json"))).0, 2);
    assert_eq!(files.map(|name| fs::read(ceremony.path(name)).unwrap()), before);
}

#[test]
fn a_tampered_entry_is_refused_by_name() {
    let ceremony = Ceremony::prepared();
    let path = ceremony.path("2.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("group2", "group0")).unwrap();
    let (code, text) = error(ceremony.assemble(&format!("{ENTRIES} --out @genesis.json")));
    assert_eq!(code, 1);
    assert!(text.contains("2.json: ") && text.contains("is not valid"), "{text}");
    assert!(!ceremony.path("genesis.json").exists());
}

#[test]
fn what_does_not_hold_has_exit_code_1() {
    let ceremony = Ceremony::prepared();
    ceremony.assemble(&format!("{ENTRIES} --out @genesis.json")).unwrap();
    fs::write(ceremony.path("bad.toml"), "rotation = 0\ngas = 1\n").unwrap();
    fs::write(ceremony.path("empty.json"), "{}").unwrap();
    fs::write(ceremony.path("long.json"), " ".repeat(limits::GENESIS_BYTES + 9)).unwrap();
    let devnet = include_str!("../../../genesis/networks/devnet.toml");
    let wrong = devnet.replace("retransmit = 250", "retransmit = 1000");
    fs::write(ceremony.path("wrong.toml"), wrong).unwrap();
    ceremony.run("subject-key --out @other.json").unwrap();
    let zeros = "0".repeat(64);
    let more = |more: &str| format!("assemble --chain-name test {ENTRIES} --out @new.json {more}");
    let files = "--rule-pack @rules.json --subject-key @subject.json";
    let cases = [
        ("check @empty.json".to_owned(), "missing field `format`"),
        ("check @0/node.key.json".to_owned(), "format is \"probata-key\""),
        ("check @long.json".to_owned(), "more than the"),
        ("check @genesis.json --subject-key @other.json".to_owned(), "subject key"),
        ("check @genesis.json --subject-key @0/node.key.json".to_owned(), "probata-subject-key"),
        (format!("check @genesis.json --expect {zeros}"), "another genesis document"),
        (more(&format!("{files} --parameters @bad.toml")), "gas"),
        (more(&format!("{files} --parameters @wrong.toml")), "parameters.retransmit is 1000"),
        (more(&format!("{files} --parameters @long.json")), "more than the"),
        (more("--rule-pack @empty.json --subject-key @subject.json"), "missing field `version`"),
        (more("--rule-pack @rules.json --subject-key @0/node.key.json"), "probata-subject-key"),
        (more(&format!("{files} --entry @genesis.json")), "unknown field"),
        (
            format!("assemble --chain-name test --entry @0.json {files} --out @new.json"),
            "1 validators are too few",
        ),
        (
            format!("assemble --chain-name other {ENTRIES} {files} --out @new.json"),
            "signed for another chain",
        ),
    ];
    for (line, expected) in cases {
        let (code, text) = error(ceremony.run(&line));
        assert_eq!(code, 1, "{line}: {text}");
        assert!(text.contains(expected), "{line}: {text}");
    }
    assert!(!ceremony.path("new.json").exists());
}

#[test]
fn wrong_usage_has_exit_code_2() {
    let ceremony = Ceremony::prepared();
    assert_eq!(error(ceremony.run("check @missing.json")).0, 2);
    assert_eq!(error(ceremony.run("keys --dir @0.json/keys")).0, 2);
    let keys = " --submission-key @0/submission.key.json".repeat(8);
    fs::remove_file(ceremony.path("0.json")).unwrap();
    assert_eq!(error(ceremony.make_entry(0, &keys)).0, 2);
    let entry = "entry --dir d --name-zh a --name-en a --group g --chain-name c --out o";
    let id = "--id 91100000100003962T";
    for line in [
        String::new(),
        "keys".to_owned(),
        "subject-key".to_owned(),
        "check".to_owned(),
        "check g --expect 12".to_owned(),
        format!("{entry} {id}"),
        format!("{entry} {id} --role lender"),
        format!("{entry} --id 91100000100003962X --role bank"),
        format!("{entry} {id} --role bank --address 127.0.0.1:7001"),
        format!("{entry} {id} --role bank --member-node node.key.json"),
        "assemble --chain-name c --entry e --rule-pack r --subject-key s --out o --created-at now"
            .to_owned(),
    ] {
        let words = line.split_whitespace().map(str::to_owned);
        let parsed = Line::try_parse_from(std::iter::once("genesis".to_owned()).chain(words));
        let code = parsed.map(|_| 0).unwrap_or_else(|error| error.exit_code());
        assert_eq!(code, 2, "{line}");
    }
}

#[test]
fn an_institution_may_follow_without_a_vote() {
    let ceremony = Ceremony::prepared();
    ceremony.run("keys --dir @more").unwrap();
    fs::remove_file(ceremony.path("0.json")).unwrap();
    let more = "--address /ip4/127.0.0.1/tcp/7001 --submission-key @more/submission.key.json \
                --member-node @more/node.key.json=/ip6/::1/tcp/7009";
    let answer = ceremony.make_entry(0, more).unwrap();
    assert_eq!(
        (answer.json["votes"].as_bool(), answer.json["proofs"].as_u64()),
        (Some(true), Some(5))
    );
    ceremony.assemble(&format!("{ENTRIES} --out @genesis.json")).unwrap();
    let genesis = Genesis::parse(&fs::read(ceremony.path("genesis.json")).unwrap()).unwrap();
    assert_eq!(genesis.nodes().count(), 5);
    assert_eq!(genesis.institution(&INSTITUTIONS[0].0.parse().unwrap()).unwrap().keys.len(), 2);

    // A node's key cannot stand for one to vote with, nor the other way round.
    fs::remove_file(ceremony.path("0.json")).unwrap();
    let more = "--member-node @more/validator.key.json=/ip4/127.0.0.1/tcp/7009";
    let (code, text) = error(ceremony.make_entry(0, more));
    assert_eq!(code, 1);
    assert!(text.contains("for validator use"), "{text}");
}

#[test]
fn the_parameter_files_hold() {
    let read = |text: &str| toml::from_str::<Parameters>(text).unwrap();
    let consortium = read(include_str!("../../../genesis/networks/consortium.toml"));
    assert_eq!(consortium, Parameters::recommended());
    let devnet = read(include_str!("../../../genesis/networks/devnet.toml"));
    assert_eq!(devnet.check(), Ok(()));
    assert_eq!(Parameters { heartbeat: consortium.heartbeat, ..devnet }, consortium);
}
