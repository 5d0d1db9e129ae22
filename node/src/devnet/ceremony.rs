//! The ceremony of a devnet: everybody's keys, entries and configuration, in folders of one machine.

use super::DevnetError;
use probata_genesis::{
    Draft, Entry, Genesis, KeyFile, KeyUse, MemberNode, Name, Parameters, SignedEntry, SubjectKey,
    ValidatorNode,
};
use probata_types::{
    InstitutionId, Keypair, List, Millis, Suite, Text, Timestamp, institution::Role,
    rule_pack::RulePack,
};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Where a devnet's API ports start, above its mesh ports.
pub(super) const API_PORT_OFFSET: u16 = 100;
const CHAIN_NAME: &str = "probata-devnet";

/// A node of the devnet: whose it is and where.
#[derive(Debug, Clone)]
pub struct DevnetNode {
    /// What the devnet calls it; also the name of its folder.
    pub name: String,
    /// Whose it is.
    pub institution: InstitutionId,
    /// Its folder, with keys, `node.toml`, data and `node.log`.
    pub folder: PathBuf,
    /// The address of its HTTP API.
    pub api: String,
    /// Whether it votes from the beginning.
    pub validator: bool,
    /// Whether it has a key to vote with once a motion gives it a seat.
    pub candidate: bool,
}

/// What a ceremony agrees on beside its participants.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The numbers that all nodes share.
    pub parameters: Parameters,
    /// When the chain begins.
    pub created_at: Timestamp,
    /// Institutions after the validators whose nodes have no vote yet, and a key for a seat to come.
    pub candidates: u16,
}

impl Terms {
    /// A chain that begins now, with a heartbeat that a person sees while looking.
    pub fn devnet() -> Self {
        let heartbeat = Millis::new(10_000);
        Self {
            parameters: Parameters { heartbeat, ..Parameters::recommended() },
            created_at: now(),
            candidates: 0,
        }
    }
}

/// Holds the ceremony and writes `genesis.json`, the keys and each node's `node.toml` into `dir`.
/// The last node is a member node without a vote, run by a regulator.
///
/// # Errors
/// [`DevnetError`].
pub fn hold(
    dir: &Path,
    validators: u16,
    base_port: u16,
) -> Result<(Genesis, Vec<DevnetNode>), DevnetError> {
    hold_on(dir, validators, base_port, Terms::devnet())
}

/// The same on other terms.
///
/// # Errors
/// [`DevnetError`], also for terms that genesis refuses.
pub fn hold_on(
    dir: &Path,
    validators: u16,
    base_port: u16,
    terms: Terms,
) -> Result<(Genesis, Vec<DevnetNode>), DevnetError> {
    let chain_name = Text::new(CHAIN_NAME).expect("a short constant");
    let suite = Suite::Blake3Ed25519;
    let (mut entries, mut nodes) = (Vec::new(), Vec::new());
    for number in 0..=validators + terms.candidates {
        let who = Who::of(number, validators, terms.candidates);
        let folder = dir.join(&who.name);
        fs::create_dir_all(&folder).map_err(DevnetError::at(&folder))?;
        let mesh = format!("/ip4/127.0.0.1/tcp/{}", base_port + number);
        let api = format!("127.0.0.1:{}", base_port + API_PORT_OFFSET + number);
        let signed = make_entry(&who, &folder, &mesh, suite, &chain_name)?;
        let institution = signed.entry.id;
        entries.push(signed);
        write(&folder.join("node.toml"), node_toml(&who, &mesh, &api).as_bytes())?;
        let api = format!("http://{api}");
        nodes.push(DevnetNode {
            name: who.name,
            institution,
            folder,
            api,
            validator: who.validator,
            candidate: who.candidate,
        });
    }
    let subject_key = SubjectKey::new(random()?);
    write(&dir.join("subject.key.json"), &subject_key.to_json())?;
    let rule_pack: RulePack =
        serde_json::from_str(include_str!("../../../genesis/networks/rule-pack.json"))
            .expect("the project's own rule pack is valid; a test of genesis checks it");
    let genesis = Genesis::assemble(Draft {
        chain_name,
        suite,
        created_at: terms.created_at,
        subject_key: subject_key.hash(suite),
        parameters: terms.parameters,
        rule_pack,
        entries,
    })
    .map_err(|error| DevnetError::Ceremony(error.to_string()))?;
    write(&dir.join("genesis.json"), genesis.to_json().as_bytes())?;
    Ok((genesis, nodes))
}

/// A participant of the devnet. All are invented; their codes are well-formed and belong to nobody.
struct Who {
    name: String,
    zh: String,
    en: String,
    role: Role,
    code: InstitutionId,
    validator: bool,
    candidate: bool,
}

impl Who {
    fn of(number: u16, validators: u16, candidates: u16) -> Self {
        let code = invented_code(number);
        let validator = number < validators;
        let candidate = !validator && number < validators + candidates;
        let (name, zh, en, role) = match number {
            _ if !validator && !candidate => {
                ("regulator", "示例金融监督管理局", "Example Financial Supervisor", Role::Regulator)
            }
            0 => ("bank", "示例城市商业银行", "Example City Bank", Role::Bank),
            1 => {
                ("guarantor", "示例融资担保有限公司", "Example Guarantee Company", Role::Guarantor)
            }
            2 => ("data", "示例数据服务有限公司", "Example Data Services", Role::DataProvider),
            3 => ("court", "示例互联网法院", "Example Internet Court", Role::Court),
            _ => {
                return Self {
                    name: format!("lender-{number}"),
                    zh: format!("示例小额贷款公司{number}"),
                    en: format!("Example Micro-lender {number}"),
                    role: Role::MicroLender,
                    code,
                    validator,
                    candidate,
                };
            }
        };
        Self { name: name.into(), zh: zh.into(), en: en.into(), role, code, validator, candidate }
    }
}

/// A well-formed unified social credit code: registration authority 91, an administrative division that does
/// not exist (990000), a running number, and the check character that fits.
fn invented_code(number: u16) -> InstitutionId {
    let body = format!("91990000MA{number:05}DE");
    "0123456789ABCDEFGHJKLMNPQRTUWXY"
        .chars()
        .filter_map(|check| format!("{}{check}", &body[..17]).parse().ok())
        .next()
        .expect("one of the 31 check characters fits")
}

fn make_entry(
    who: &Who,
    folder: &Path,
    mesh: &str,
    suite: Suite,
    chain_name: &Text<{ probata_genesis::limits::CHAIN_NAME_BYTES }>,
) -> Result<SignedEntry, DevnetError> {
    let submission = make_key(folder, "submission", KeyUse::Submission)?;
    let node = make_key(folder, "node", KeyUse::Node)?;
    let mut pairs = vec![&submission, &node];
    let vote = match who.validator || who.candidate {
        true => Some(make_key(folder, "validator", KeyUse::Validator)?),
        false => None,
    };
    // A candidate's key is for the motion that gives it a seat: genesis does not know it.
    let vote = vote.filter(|_| who.validator);
    pairs.extend(vote.as_ref());
    let address: probata_genesis::Address =
        mesh.parse().map_err(|error| DevnetError::Ceremony(format!("{mesh}: {error}")))?;
    let members = match who.validator {
        true => List::empty(),
        false => one(MemberNode { node: node.public(), address }),
    };
    let validator = vote.as_ref().map(|vote| ValidatorNode {
        key: vote.public(),
        node: node.public(),
        address,
    });
    let text = |text: &str| Text::new(text).expect("a short constant");
    let entry = Entry {
        id: who.code,
        name: Name { zh: text(&who.zh), en: text(&who.en) },
        roles: one(who.role),
        group: Text::new(who.en.as_str()).expect("a short constant"),
        keys: one(submission.public()),
        validator,
        members,
    };
    entry
        .sign(suite, chain_name, &pairs)
        .map_err(|error| DevnetError::Ceremony(format!("the entry of {}: {error}", who.name)))
}

fn one<T, const MAX: usize>(item: T) -> List<T, MAX> {
    List::new(vec![item]).expect("lists here hold at least one item")
}

fn make_key(folder: &Path, name: &str, purpose: KeyUse) -> Result<Keypair, DevnetError> {
    let pair = Keypair::from_secret(&random()?);
    let file = KeyFile { purpose, pair: pair.clone() };
    write(&folder.join(format!("{name}.key.json")), &file.to_json())?;
    Ok(pair)
}

fn node_toml(who: &Who, mesh: &str, api: &str) -> String {
    let votes = who.validator || who.candidate;
    let validator = if votes { "validator = \"validator.key.json\"\n" } else { "" };
    format!(
        "genesis = \"../genesis.json\"\ndata = \"data\"\n\n[keys]\nnode = \"node.key.json\"\n{validator}\n\
         [mesh]\nlisten = [\"{mesh}\"]\n\n[api]\nlisten = \"{api}\"\n"
    )
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DevnetError> {
    let secret = path.to_string_lossy().ends_with(".key.json");
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if secret { 0o600 } else { 0o644 })
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(DevnetError::at(path))
}

fn random() -> Result<[u8; 32], DevnetError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| DevnetError::Ceremony(error.to_string()))?;
    Ok(bytes)
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.unwrap_or_default().as_millis();
    Timestamp::ZERO.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceremony_makes_a_valid_genesis_and_valid_configurations() {
        let dir = tempfile::tempdir().unwrap();
        let terms = Terms { candidates: 2, ..Terms::devnet() };
        let (genesis, nodes) = hold_on(dir.path(), 7, 17_400, terms).unwrap();
        let read = Genesis::parse(&fs::read(dir.path().join("genesis.json")).unwrap()).unwrap();
        assert_eq!(read.chain(), genesis.chain());
        assert_eq!(genesis.validator_set().size(), 7);
        assert_eq!(nodes.len(), 10);
        for (number, node) in nodes.iter().enumerate() {
            let config = crate::config::Config::load(&node.folder.join("node.toml")).unwrap();
            assert_eq!(config.keys.validator.is_some(), node.validator || node.candidate);
            assert_eq!((node.validator, node.candidate), (number < 7, (7..9).contains(&number)));
        }
    }
}
