//! A consortium of any size with fixed keys: the same genesis document at every call.
#![expect(clippy::unwrap_used, reason = "fixed values that the checks of genesis accept")]

use probata_genesis::{
    ChainName, Draft, Entry, Genesis, MemberNode, Name, Parameters, SignedEntry, SubjectKey,
    ValidatorNode,
};
use probata_types::{
    InstitutionId, Keypair, List, Millis, Suite, Text, Timestamp, institution::Role,
    rule_pack::RulePack,
};

/// The suite of the consortium's chain.
pub const SUITE: Suite = Suite::Blake3Ed25519;
/// When its chain begins.
pub const BEGIN: Timestamp = Timestamp::new(1_790_000_000_000);
/// What its institutions are called in drafts, by their numbers; those after them are lenders.
const NAMES: [(&str, Role); 4] = [
    ("bank", Role::Bank),
    ("guarantor", Role::Guarantor),
    ("data", Role::DataProvider),
    ("court", Role::Court),
];

/// What a key of an institution is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signs submissions.
    Submission = 1,
    /// Signs votes.
    Validator = 2,
    /// Is the node's identity on the mesh.
    Node = 3,
}

/// The key of an institution.
pub fn pair(number: u16, purpose: Purpose) -> Keypair {
    let mut secret = [purpose as u8; 32];
    secret[..2].copy_from_slice(&number.to_be_bytes());
    Keypair::from_secret(&secret)
}

/// What the institution is called in drafts.
pub fn name(number: u16) -> String {
    NAMES.get(usize::from(number)).map_or_else(|| format!("lender-{number}"), |it| it.0.to_owned())
}

/// The LEI of an institution, with its check digits (ISO 7064 MOD 97-10); it belongs to nobody.
pub fn institution(number: u16) -> InstitutionId {
    let body = format!("TEST{number:014}");
    let rest = body.chars().chain("00".chars()).fold(0, |rest, c| {
        let digit = c.to_digit(36).unwrap();
        (rest * if digit > 9 { 100 } else { 10 } + digit) % 97
    });
    format!("{body}{:02}", 98 - rest).parse().unwrap()
}

/// The key under which its members know persons.
pub fn subject_key() -> SubjectKey {
    SubjectKey::new([0x5b; 32])
}

/// The genesis document of a consortium of so many validators, begun at `created_at`.
///
/// # Panics
/// For fewer than four validators, or more than a set may have.
pub fn genesis(validators: u16, created_at: Timestamp) -> Genesis {
    assemble((0..validators).map(|number| entry(number, true)).collect(), created_at)
}

/// The same with one institution more, whose node has no vote.
///
/// # Panics
/// As [`genesis`].
pub fn genesis_with_member(validators: u16, created_at: Timestamp) -> Genesis {
    let entries = (0..=validators).map(|number| entry(number, number < validators));
    assemble(entries.collect(), created_at)
}

/// The same with any number of nodes without a vote, other parameters, and begun at [`BEGIN`].
///
/// # Panics
/// As [`genesis`], and for parameters that do not fit.
pub fn genesis_of(validators: u16, members: u16, parameters: Parameters) -> Genesis {
    let entries = (0..validators + members).map(|number| entry(number, number < validators));
    assemble_with(entries.collect(), BEGIN, parameters)
}

fn assemble(entries: Vec<SignedEntry>, created_at: Timestamp) -> Genesis {
    let parameters = Parameters { heartbeat: Millis::new(10_000), ..Parameters::recommended() };
    assemble_with(entries, created_at, parameters)
}

fn assemble_with(
    entries: Vec<SignedEntry>,
    created_at: Timestamp,
    parameters: Parameters,
) -> Genesis {
    let pack = include_bytes!("../../genesis/networks/rule-pack.json");
    let rule_pack: RulePack = serde_json::from_slice(pack).unwrap();
    Genesis::assemble(Draft {
        chain_name: chain_name(),
        suite: SUITE,
        created_at,
        subject_key: subject_key().hash(SUITE),
        parameters,
        rule_pack,
        entries,
    })
    .unwrap()
}

fn chain_name() -> ChainName {
    Text::new("probata-test").unwrap()
}

fn entry(number: u16, votes: bool) -> SignedEntry {
    let (submits, voter, node) = (
        pair(number, Purpose::Submission),
        pair(number, Purpose::Validator),
        pair(number, Purpose::Node),
    );
    let role = NAMES.get(usize::from(number)).map_or(Role::MicroLender, |it| it.1);
    let address = format!("/ip4/10.0.0.1/tcp/{}", 7_000 + number).parse().unwrap();
    let member = MemberNode { node: node.public(), address };
    let entry = Entry {
        id: institution(number),
        name: Name {
            zh: Text::new(format!("示例机构{number}")).unwrap(),
            en: Text::new(format!("Example institution {number}")).unwrap(),
        },
        roles: List::new(vec![role]).unwrap(),
        group: Text::new(format!("group {number}")).unwrap(),
        keys: List::new(vec![submits.public()]).unwrap(),
        validator: votes.then(|| ValidatorNode {
            key: voter.public(),
            node: node.public(),
            address,
        }),
        members: if votes { List::empty() } else { List::new(vec![member]).unwrap() },
    };
    let pairs = if votes { vec![&submits, &voter, &node] } else { vec![&submits, &node] };
    entry.sign(SUITE, &chain_name(), &pairs).unwrap()
}
