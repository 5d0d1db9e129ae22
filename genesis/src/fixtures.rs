//! A small consortium, for tests: four institutions of four groups that vote, and one that follows.

use crate::{
    Address, ChainName, Draft, Entry, Genesis, MemberNode, Name, Parameters, SignedEntry,
    ValidatorNode,
};
use probata_types::{
    Hash, InstitutionId, Keypair, List, Suite, Text, Timestamp, institution::Role,
    rule_pack::RulePack,
};

pub(crate) const SUITE: Suite = Suite::Blake3Ed25519;
pub(crate) const SUBJECT_KEY: [u8; 32] = [0x5b; 32];

pub(crate) fn chain_name() -> ChainName {
    Text::new("test").unwrap()
}

/// The LEI of a made-up institution, with its check digits (ISO 7064 MOD 97-10).
pub(crate) fn lei(number: u32) -> InstitutionId {
    let body = format!("TEST{number:014}");
    let rest = body.chars().chain("00".chars()).fold(0, |rest, c| {
        let digit = c.to_digit(36).unwrap();
        (rest * if digit > 9 { 100 } else { 10 } + digit) % 97
    });
    format!("{body}{:02}", 98 - rest).parse().unwrap()
}

/// The key of an institution for a use; all are different.
pub(crate) fn pair(number: u32, what: u8) -> Keypair {
    let mut secret = [what; 32];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    Keypair::from_secret(&secret)
}

pub(crate) fn address(number: u32, node: u32) -> Address {
    format!("/ip4/10.{node}.0.1/tcp/{}", 7_000 + number).parse().unwrap()
}

/// Institution `number`, in a group of its own, with a validator.
pub(crate) fn voter(number: u32) -> Entry {
    Entry {
        id: lei(number),
        name: Name {
            zh: Text::new(format!("机构{number}")).unwrap(),
            en: Text::new(format!("Institution {number}")).unwrap(),
        },
        roles: List::new(vec![Role::Bank]).unwrap(),
        group: Text::new(format!("group {number}")).unwrap(),
        keys: List::new(vec![pair(number, 1).public(), pair(number, 2).public()]).unwrap(),
        validator: Some(ValidatorNode {
            key: pair(number, 3).public(),
            node: pair(number, 4).public(),
            address: address(number, 0),
        }),
        members: List::empty(),
    }
}

/// Institution `number`, with a member node and no vote.
pub(crate) fn follower(number: u32) -> Entry {
    let node = MemberNode { node: pair(number, 5).public(), address: address(number, 1) };
    let members = List::new(vec![node]).unwrap();
    Entry { validator: None, members, ..voter(number) }
}

/// Signs with whichever of the institution's keys the entry names.
pub(crate) fn sign(number: u32, entry: Entry) -> SignedEntry {
    let pairs: Vec<Keypair> = (1..=5).map(|what| pair(number, what)).collect();
    let named = entry.named_keys();
    let used: Vec<&Keypair> =
        pairs.iter().filter(|pair| named.iter().any(|(_, key)| *key == pair.public())).collect();
    entry.sign(SUITE, &chain_name(), &used).unwrap()
}

pub(crate) fn rule_pack() -> RulePack {
    crate::parse_rule_pack(include_bytes!("../networks/rule-pack.json")).unwrap()
}

/// Four voters (1 to 4) and a follower (5).
pub(crate) fn draft() -> Draft {
    let mut entries: Vec<SignedEntry> = (1..=4).map(|n| sign(n, voter(n))).collect();
    entries.push(sign(5, follower(5)));
    Draft {
        chain_name: chain_name(),
        suite: SUITE,
        created_at: Timestamp::new(1_790_000_000_000),
        subject_key: crate::SubjectKey::new(SUBJECT_KEY).hash(SUITE),
        parameters: Parameters::recommended(),
        rule_pack: rule_pack(),
        entries,
    }
}

pub(crate) fn genesis() -> Genesis {
    Genesis::assemble(draft()).unwrap()
}

/// A digest that names nothing.
pub(crate) fn other_hash() -> Hash {
    Hash([9; 32])
}
