//! Writing an institution's entry.

use super::{
    Answer, CommandError, Format,
    files::{self, Readers},
    keys::{SUITE, key_path},
    text,
};
use clap::Args;
use probata_genesis::{
    Address, ChainName, Entry, KeyFile, KeyUse, MemberNode, Name, ValidatorNode, limits,
};
use probata_types::{InstitutionId, Keypair, List, Text, institution::Role};
use serde::{Deserialize, de::IntoDeserializer, de::value::Error as ValueError};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// Arguments of `genesis entry`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct EntryArguments {
    /// The folder with the keys that `genesis keys` made.
    #[arg(long, value_name = "FOLDER")]
    pub dir: PathBuf,
    /// Unified social credit code (18 characters) or LEI (20).
    #[arg(long)]
    pub id: InstitutionId,
    /// Registered name in Chinese.
    #[arg(long, value_name = "NAME", value_parser = text::<{ limits::NAME_BYTES }>)]
    pub name_zh: Text<{ limits::NAME_BYTES }>,
    /// Name in English.
    #[arg(long, value_name = "NAME", value_parser = text::<{ limits::NAME_BYTES }>)]
    pub name_en: Text<{ limits::NAME_BYTES }>,
    /// What it does: bank, micro_lender, guarantor, data_provider, platform, court, regulator,
    /// notary. May be repeated.
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
    pub roles: Vec<Role>,
    /// Who controls it: the same text for all institutions under common control, which together may
    /// not have more validators than may fail. An independent one gives its own name.
    #[arg(long, value_parser = text::<{ limits::GROUP_BYTES }>)]
    pub group: Text<{ limits::GROUP_BYTES }>,
    /// Where the others reach its validator. Without it the institution does not vote.
    #[arg(long)]
    pub address: Option<Address>,
    /// A node without a vote: its key file and where it is reached. May be repeated. Without
    /// `--address`, the folder's own `node.key.json` may be given.
    #[arg(long = "member-node", value_name = "KEYFILE=ADDRESS")]
    pub member_nodes: Vec<NodeAt>,
    /// Another key to submit with, beside that of the folder. May be repeated.
    #[arg(long = "submission-key", value_name = "KEYFILE")]
    pub submission_keys: Vec<PathBuf>,
    /// The name of the chain, agreed by all.
    #[arg(long, value_name = "NAME", value_parser = text::<{ limits::CHAIN_NAME_BYTES }>)]
    pub chain_name: ChainName,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How to answer.
    #[command(flatten)]
    pub format: Format,
}

const EXAMPLE: &str = "\
Example, a bank that votes:
  probata-node genesis entry --dir keys --id 91100000100003962T --name-zh 甲银行 --name-en 'Bank A' \\
    --role bank --group 'Bank A' --address /ip4/192.0.2.7/tcp/7001 --chain-name credit \\
    --out bank-a.entry.json";

/// A node's key file and its address, written `KEYFILE=ADDRESS`.
#[derive(Debug, Clone)]
pub struct NodeAt {
    /// The key file.
    pub key: PathBuf,
    /// The address.
    pub address: Address,
}

impl FromStr for NodeAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, address) = text
            .rsplit_once('=')
            .ok_or("write KEYFILE=ADDRESS, as in node.key.json=/ip4/192.0.2.7/tcp/7001")?;
        let address = address.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { key: key.into(), address })
    }
}

fn role(name: &str) -> Result<Role, String> {
    let name: serde::de::value::StrDeserializer<'_, ValueError> = name.into_deserializer();
    Role::deserialize(name).map_err(|error| error.to_string())
}

pub(super) fn make_entry(arguments: EntryArguments) -> Result<Answer, CommandError> {
    let mut submission =
        vec![read_key(&key_path(&arguments.dir, KeyUse::Submission), KeyUse::Submission)?];
    for path in &arguments.submission_keys {
        submission.push(read_key(path, KeyUse::Submission)?);
    }
    let keys = submission.iter().map(Keypair::public).collect();
    let mut nodes = Vec::new();
    let mut validator = None;
    if let Some(address) = arguments.address {
        let vote = read_key(&key_path(&arguments.dir, KeyUse::Validator), KeyUse::Validator)?;
        let node = read_key(&key_path(&arguments.dir, KeyUse::Node), KeyUse::Node)?;
        validator = Some(ValidatorNode { key: vote.public(), node: node.public(), address });
        nodes.extend([vote, node]);
    }
    let mut members = Vec::new();
    for NodeAt { key, address } in arguments.member_nodes {
        let node = read_key(&key, KeyUse::Node)?;
        members.push(MemberNode { node: node.public(), address });
        nodes.push(node);
    }
    let entry = Entry {
        id: arguments.id,
        name: Name { zh: arguments.name_zh, en: arguments.name_en },
        roles: list(arguments.roles, "roles")?,
        group: arguments.group,
        keys: list(keys, "submission keys")?,
        validator,
        members: list(members, "member nodes")?,
    };
    let votes = entry.validator.is_some();
    let pairs: Vec<&Keypair> = submission.iter().chain(&nodes).collect();
    let signed = entry.sign(SUITE, &arguments.chain_name, &pairs)?;
    files::create(&arguments.out, signed.to_json().as_bytes(), Readers::All)?;
    let (id, proofs, out) = (arguments.id, signed.proofs.len(), &arguments.out);
    let text = format!(
        "{}: the entry of {id} for the chain {:?}, {}, signed with {proofs} keys.\n",
        out.display(),
        &*arguments.chain_name,
        if votes { "with a vote" } else { "without a vote" },
    );
    let json = json!({ "file": out, "institution": id, "votes": votes, "proofs": proofs });
    Ok(Answer { text, json })
}

fn read_key(path: &Path, wanted: KeyUse) -> Result<Keypair, CommandError> {
    let bytes = files::read(path, limits::KEY_FILE_BYTES)?;
    KeyFile::parse_for(wanted, &bytes)
        .map_err(|source| CommandError::Key { path: path.to_owned(), source })
}

fn list<T, const MAX: usize>(
    items: Vec<T>,
    what: &'static str,
) -> Result<List<T, MAX>, CommandError> {
    List::new(items).map_err(|error| CommandError::TooMany { what, max: error.max })
}
