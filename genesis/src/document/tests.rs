use super::*;
use crate::{EntryError, Name, ParameterError, Proof, fixtures::*};
use probata_types::{
    Keypair, institution::Role, rule_pack::RulePackError, validator::ValidatorSetError,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The good document as JSON, to be broken.
fn good() -> Value {
    serde_json::from_str(&genesis().to_json()).unwrap()
}

fn parse(json: &Value) -> Result<Genesis, GenesisError> {
    Genesis::parse(json.to_string().as_bytes())
}

/// The error after one place of the good document was set to another value.
fn set(pointer: &str, value: Value) -> GenesisError {
    let mut json = good();
    *json.pointer_mut(pointer).expect(pointer) = value;
    parse(&json).expect_err(pointer)
}

/// The error of a draft with one entry replaced.
fn with_entry(number: u32, signed: SignedEntry) -> GenesisError {
    let mut draft = draft();
    draft.entries[number as usize - 1] = signed;
    Genesis::assemble(draft).unwrap_err()
}

/// The error of an entry that nobody checked, as its error alone.
fn broken_entry(number: u32, entry: Entry) -> EntryError {
    let digest = entry.digest(SUITE, &chain_name());
    let mut proofs: Vec<Proof> = (1..=5)
        .map(|what| pair(number, what))
        .filter(|pair| entry.named_keys().iter().any(|(_, key)| *key == pair.public()))
        .map(|pair| Proof { key: pair.public(), signature: pair.sign(&digest) })
        .collect();
    proofs.sort_by_key(|proof| proof.key);
    let signed = SignedEntry { entry, proofs: List::new(proofs).unwrap() };
    match with_entry(number, signed) {
        GenesisError::Entry { index, institution, error } => {
            assert_eq!((index, institution), (number as usize - 1, lei(number)));
            error
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_good_document_answers() {
    let genesis = genesis();
    let read = Genesis::parse(genesis.to_json().as_bytes()).unwrap();
    assert_eq!(read, genesis);
    assert_eq!(genesis.chain_name().to_string(), "test");
    assert_eq!(genesis.parameters(), &Parameters::recommended());
    assert_eq!(genesis.rule_pack(), &rule_pack());
    assert_eq!(genesis.created_at(), draft().created_at);
    let set = genesis.validator_set();
    assert_eq!((set.size(), set.faulty(), set.quorum()), (4, 1, 3));
    for (seat, validator) in set.iter() {
        let number = u32::from(seat.0) + 1;
        assert_eq!((validator.institution, validator.key), (lei(number), pair(number, 3).public()));
    }
    assert_eq!(genesis.institution(&lei(5)), Some(&follower(5)));
    assert_eq!(genesis.institution(&lei(6)), None);
    assert_eq!(genesis.entries().count(), 5);
}

#[test]
fn every_node_is_listed_with_its_seat() {
    let genesis = genesis();
    let nodes: Vec<Node<'_>> = genesis.nodes().collect();
    assert_eq!(nodes.len(), 5);
    for (at, node) in nodes.iter().enumerate() {
        let number = u32::try_from(at).unwrap() + 1;
        assert_eq!(*node.institution, lei(number));
        let votes = number <= 4;
        assert_eq!(node.key, pair(number, if votes { 4 } else { 5 }).public());
        assert_eq!(*node.address, address(number, u32::from(!votes)));
        let seat = u16::try_from(at).unwrap();
        assert_eq!(node.validator, votes.then_some(ValidatorIndex(seat)));
    }
}

#[test]
fn the_first_state_holds_institutions_and_rules() {
    let state = genesis().initial_state();
    // Five institutions with their names, the rule pack, epoch 0 and where epochs stand, the directory,
    // and who holds each of four keys of a voter and three of the follower.
    assert_eq!(state.len(), 2 * 5 + 4 + 4 * 4 + 3);
    assert_eq!(state[&StateKey::RulePack], StateValue::RulePack(rule_pack()));
    for number in 1..=5 {
        let StateValue::Institution(institution) = &state[&StateKey::Institution(lei(number))]
        else {
            panic!("an institution's key holds an institution");
        };
        assert!(institution.is_active(Height::new(1)));
        assert_eq!(&*institution.roles, [Role::Bank]);
        for what in [1, 2] {
            assert!(institution.key_is_valid(&pair(number, what).public(), Height::new(1)));
        }
        // Votes and mesh identities do not submit.
        for what in [3, 4, 5] {
            assert!(!institution.key_is_valid(&pair(number, what).public(), Height::new(1)));
        }
        let votes = number != 5;
        let uses = [
            (1, true, KeyPurpose::Submission),
            (2, true, KeyPurpose::Submission),
            (3, votes, KeyPurpose::Vote),
            (4, votes, KeyPurpose::Node),
            (5, !votes, KeyPurpose::Node),
        ];
        for (what, named, purpose) in uses {
            let holder = KeyHolder { institution: lei(number), purpose };
            let expected = named.then_some(StateValue::Key(holder));
            let key = StateKey::Key(pair(number, what).public());
            assert_eq!(state.get(&key), expected.as_ref());
        }
    }
}

#[test]
fn formatting_and_order_of_fields_do_not_change_the_chain() {
    let genesis = genesis();
    // serde_json's map sorts the fields by name: another order than that of the document.
    let compact = good().to_string();
    assert!(compact.starts_with("{\"chain_name\""));
    assert_eq!(Genesis::parse(compact.as_bytes()).unwrap().chain(), genesis.chain());
    let spaced = genesis.to_json().replace('\n', "\r\n \t");
    assert_eq!(Genesis::parse(spaced.as_bytes()).unwrap().chain(), genesis.chain());
    let escaped = compact.replace("机", "\\u673a");
    assert_ne!(escaped, compact);
    assert_eq!(Genesis::parse(escaped.as_bytes()).unwrap().chain(), genesis.chain());
}

#[test]
fn the_order_of_assembly_does_not_change_the_chain() {
    let mut draft = draft();
    draft.entries.reverse();
    assert_eq!(Genesis::assemble(draft).unwrap().chain(), genesis().chain());
}

#[test]
fn every_value_changes_the_chain() {
    let changes: [fn(&mut Draft); 5] = [
        |draft| draft.created_at = draft.created_at.next(),
        |draft| draft.subject_key = other_hash(),
        |draft| draft.parameters.rotation = 3,
        |draft| draft.rule_pack.version = 2,
        |draft| drop(draft.entries.pop()),
    ];
    for change in changes {
        let mut draft = draft();
        change(&mut draft);
        assert_ne!(Genesis::assemble(draft).unwrap().chain(), genesis().chain());
    }
}

#[test]
fn an_unknown_field_is_refused_at_every_level() {
    fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.push(at.to_owned());
                fields.iter().for_each(|(name, v)| objects(v, &format!("{at}/{name}"), found));
            }
            Value::Array(items) => {
                for (index, v) in items.iter().enumerate() {
                    objects(v, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    objects(&good(), "", &mut found);
    // The document, its parameters, its rule pack, and at least entry, name, node and proof of
    // each.
    assert!(found.len() > 20, "{found:?}");
    for pointer in found {
        let mut json = good();
        json.pointer_mut(&pointer).unwrap()["surprise"] = 1.into();
        match parse(&json) {
            Err(GenesisError::Json(JsonError::At { what, .. })) => {
                // An enum takes one key, so there the parser expects the end and not a name.
                let is_enum = pointer.ends_with("/cap") && what == "expected value";
                let is_named = what.contains("unknown field `surprise`");
                assert!(is_named || is_enum, "{pointer}: {what}");
            }
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn text_of_another_form_is_refused_with_its_place() {
    let text = genesis().to_json();
    let twice = text.replacen("\"version\"", "\"version\": 1,\n  \"version\"", 1);
    let number = text.replacen("\"rotation\": 64", "\"rotation\": 64.0", 1);
    let trailing = format!("{text}{{}}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (broken, expected) in [
        (twice.as_str(), "duplicate field `version`"),
        (&number, "invalid type: floating point `64.0`"),
        (&trailing, "trailing characters"),
        (&deep, ""),
        (&text[..text.len() / 2], "EOF"),
        ("", "EOF"),
        ("[]", ""),
    ] {
        match Genesis::parse(broken.as_bytes()) {
            Err(GenesisError::Json(JsonError::At { line, what, .. })) => {
                assert!(line > 0 && what.contains(expected), "{what}");
            }
            other => panic!("{other:?}"),
        }
    }
    let long = text + &" ".repeat(limits::GENESIS_BYTES);
    let (got, max) = (long.len(), limits::GENESIS_BYTES);
    assert_eq!(
        Genesis::parse(long.as_bytes()),
        Err(GenesisError::Json(JsonError::TooLong { got, max }))
    );
}

#[test]
fn another_kind_or_version_of_file_is_named() {
    assert_eq!(set("/format", json!("probata-key")), GenesisError::Format("probata-key".into()));
    assert_eq!(set("/version", json!(2)), GenesisError::Version(2));
    // Even with fields that only a later version knows.
    let mut later = good();
    later["version"] = 7.into();
    later["oracle"] = json!({});
    assert_eq!(parse(&later), Err(GenesisError::Version(7)));
}

#[test]
fn values_of_the_document_are_checked() {
    assert_eq!(set("/chain_name", json!(" test")), GenesisError::BlankChainName);
    assert_eq!(set("/chain_name", json!("")), GenesisError::BlankChainName);
    let error = set("/parameters/retransmit", json!(1_000));
    assert!(matches!(error, GenesisError::Parameters(ParameterError::Relation { .. })), "{error}");
    assert_eq!(
        error.to_string(),
        "parameters.retransmit is 1000 and must be less than parameters.view_timeout, which is \
         1000: a lost message would end the view before it is repeated"
    );
    for pointer in ["/suite", "/subject_key", "/entries/0/entry/id", "/entries/0/entry/roles/0"] {
        let error = set(pointer, json!("unheard-of"));
        assert!(matches!(error, GenesisError::Json(JsonError::At { .. })), "{pointer}: {error}");
    }
}

#[test]
fn the_rule_pack_is_checked() {
    let error = set("/rule_pack/utc_offset_minutes", json!(841));
    assert_eq!(error, GenesisError::RulePack(RulePackError::Offset));
    assert!(error.to_string().starts_with("rule_pack: "), "{error}");
    let mut unsorted = draft();
    unsorted.rule_pack.lpr_one_year.as_mut_slice().reverse();
    let expected = GenesisError::RulePack(RulePackError::Order("lpr_one_year"));
    assert_eq!(Genesis::assemble(unsorted), Err(expected));
}

#[test]
fn entries_stand_in_order_and_once() {
    let mut json = good();
    json["entries"].as_array_mut().unwrap().swap(1, 2);
    let expected = GenesisError::UnsortedEntries { index: 2, institution: lei(2) };
    assert_eq!(parse(&json), Err(expected));
    let mut twice = draft();
    twice.entries.push(twice.entries[1].clone());
    let expected = GenesisError::InstitutionTwice { index: 2, institution: lei(2) };
    assert_eq!(Genesis::assemble(twice), Err(expected));
}

#[test]
fn an_entry_must_be_complete() {
    let text = |text: &str| Text::new(text).unwrap();
    let cases: [(EntryError, Entry); 7] = [
        (EntryError::Blank("name.zh"), {
            Entry { name: Name { zh: Text::default(), en: text("A") }, ..voter(2) }
        }),
        (EntryError::Blank("name.en"), {
            Entry { name: Name { zh: text("甲"), en: text("A ") }, ..voter(2) }
        }),
        (EntryError::Blank("group"), Entry { group: Text::default(), ..voter(2) }),
        (EntryError::Blank("group"), Entry { group: Text::new(" group 1").unwrap(), ..voter(2) }),
        (EntryError::NoRole, Entry { roles: List::empty(), ..voter(2) }),
        (EntryError::RoleTwice(Role::Court), {
            let roles = List::new(vec![Role::Court, Role::Bank, Role::Court]).unwrap();
            Entry { roles, ..voter(2) }
        }),
        (EntryError::NoKey, Entry { keys: List::empty(), ..voter(2) }),
    ];
    for (expected, entry) in cases {
        assert_eq!(broken_entry(2, entry), expected);
    }
}

#[test]
fn a_key_serves_once_in_an_entry() {
    let mut entry = voter(2);
    entry.validator.as_mut().unwrap().node = pair(2, 3).public();
    let (first, second) = ("validator.key".to_owned(), "validator.node".to_owned());
    let key = pair(2, 3).public();
    assert_eq!(broken_entry(2, entry), EntryError::KeyTwice { key, first, second });
}

#[test]
fn a_key_serves_once_in_the_document() {
    // Two institutions that share a node: both can sign for it, and still only one may name it.
    let mut entry = follower(5);
    entry.members.as_mut_slice()[0].node = pair(1, 4).public();
    let pairs = [pair(5, 1), pair(5, 2), pair(1, 4)];
    let signed = entry.sign(SUITE, &chain_name(), &pairs.each_ref()).unwrap();
    let first = "entries[0].entry.validator.node".to_owned();
    let second = "entries[4].entry.members[0].node".to_owned();
    let key = pair(1, 4).public();
    assert_eq!(with_entry(5, signed), GenesisError::KeyTwice { key, first, second });
}

#[test]
fn two_nodes_do_not_share_an_address() {
    let mut entry = follower(5);
    entry.members.as_mut_slice()[0].address = address(1, 0);
    let expected = GenesisError::AddressTwice {
        address: address(1, 0).to_string(),
        first: pair(1, 4).public(),
        second: pair(5, 5).public(),
    };
    assert_eq!(with_entry(5, sign(5, entry)), expected);
}

#[test]
fn an_entry_changed_after_it_was_signed_is_refused() {
    let tampered = |change: fn(&mut Entry)| {
        let mut signed = sign(2, voter(2));
        change(&mut signed.entry);
        match with_entry(2, signed) {
            GenesisError::Entry { error, .. } => error,
            other => panic!("{other}"),
        }
    };
    let changes: [fn(&mut Entry); 5] = [
        |entry| entry.group = Text::new("another group").unwrap(),
        |entry| entry.name.en = Text::new("Another Bank").unwrap(),
        |entry| entry.roles = List::new(vec![Role::Regulator]).unwrap(),
        |entry| entry.validator.as_mut().unwrap().address = address(9, 9),
        |entry| entry.keys.as_mut_slice().reverse(),
    ];
    for change in changes {
        assert!(matches!(tampered(change), EntryError::InvalidProof { .. }));
    }
    // A key put in afterwards has not signed; one taken out has signed for nothing.
    let error = tampered(|entry| entry.keys.as_mut_slice()[0] = pair(6, 1).public());
    assert!(matches!(error, EntryError::ExtraProof(_) | EntryError::InvalidProof { .. }));
    let error = tampered(|entry| entry.validator = None);
    assert!(matches!(error, EntryError::ExtraProof(_) | EntryError::InvalidProof { .. }));
}

#[test]
fn an_entry_for_another_chain_is_refused() {
    let other = Text::new("other").unwrap();
    let pairs = [pair(2, 1), pair(2, 2), pair(2, 3), pair(2, 4)];
    let signed = voter(2).sign(SUITE, &other, &pairs.each_ref()).unwrap();
    match with_entry(2, signed) {
        GenesisError::Entry { error: EntryError::InvalidProof { chain_name, .. }, .. } => {
            assert_eq!(chain_name, "test");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn each_key_signs_once() {
    let name = chain_name();
    let [a, b, c, d] = [pair(2, 1), pair(2, 2), pair(2, 3), pair(2, 4)];
    let sign = |pairs: &[&Keypair]| voter(2).sign(SUITE, &name, pairs).unwrap_err();
    let missing = EntryError::MissingProof { path: "validator.node".into(), key: d.public() };
    assert_eq!(sign(&[&a, &b, &c]), missing);
    let stranger = pair(6, 1);
    let error = sign(&[&a, &b, &c, &d, &stranger]);
    assert_eq!(error, EntryError::ExtraProof(stranger.public()));
    assert_eq!(sign(&[&a, &b, &c, &d, &b]), EntryError::ExtraProof(b.public()));
    let error = sign(&[&a; limits::PROOFS + 1]);
    assert_eq!(error, EntryError::TooManyProofs { got: limits::PROOFS + 1, max: limits::PROOFS });
    let mut signed = crate::fixtures::sign(2, voter(2));
    signed.proofs.as_mut_slice().reverse();
    assert_eq!(signed.check(SUITE, &name), Err(EntryError::UnsortedProofs));
}

#[test]
fn four_must_vote() {
    let error = with_entry(4, sign(4, follower(4)));
    assert_eq!(error, GenesisError::Validators(ValidatorSetError::TooFew(3)));
}

#[test]
fn no_group_has_more_seats_than_may_lie() {
    let of_group = |number| Entry { group: Text::new("group 1").unwrap(), ..voter(number) };
    let expected =
        GenesisError::Group { group: "group 1".into(), seats: 2, faulty: 1, validators: 4 };
    assert_eq!(with_entry(3, sign(3, of_group(3))), expected);
    // Without a vote the group may be as large as it likes.
    let mut allowed = draft();
    allowed.entries[4] = sign(5, Entry { group: Text::new("group 1").unwrap(), ..follower(5) });
    assert!(Genesis::assemble(allowed).is_ok());
    // Of seven, two may lie: two seats are allowed, three are not.
    let seven = |in_group: std::ops::RangeInclusive<u32>| {
        let entry = |n| if in_group.contains(&n) { of_group(n) } else { voter(n) };
        let entries = (1..=7).map(|n| sign(n, entry(n))).collect();
        Genesis::assemble(Draft { entries, ..draft() })
    };
    assert!(seven(1..=2).is_ok());
    let expected =
        GenesisError::Group { group: "group 1".into(), seats: 3, faulty: 2, validators: 7 };
    assert_eq!(seven(1..=3), Err(expected));
}

#[test]
fn the_subject_key_is_the_one_named() {
    let genesis = genesis();
    assert_eq!(genesis.check_subject_key(&SUBJECT_KEY), Ok(()));
    let error = genesis.check_subject_key(&[1; 32]).unwrap_err();
    assert!(
        matches!(error, GenesisError::SubjectKey { wanted, .. } if wanted == genesis.subject_key())
    );
}

#[test]
fn a_signed_entry_reads_back() {
    let signed = sign(2, voter(2));
    assert_eq!(SignedEntry::parse(signed.to_json().as_bytes()), Ok(signed.clone()));
    let long = signed.to_json() + &" ".repeat(limits::ENTRY_BYTES);
    assert!(matches!(SignedEntry::parse(long.as_bytes()), Err(JsonError::TooLong { .. })));
}

/// Voter `number` with every text and list as long as it may be; the first 128 vote.
fn large(number: u32) -> SignedEntry {
    let what = |what| pair(number, what).public();
    let seat = crate::ValidatorNode { key: what(9), node: what(10), address: address(number, 0) };
    let entry = Entry {
        name: Name {
            zh: Text::new("行".repeat(85)).unwrap(),
            en: Text::new("n".repeat(256)).unwrap(),
        },
        group: Text::new(format!("{number:0128}")).unwrap(),
        keys: List::new((1..=8).map(what).collect()).unwrap(),
        validator: (number <= 128).then_some(seat),
        ..voter(number)
    };
    let pairs: Vec<Keypair> = (1..=10).map(|what| pair(number, what)).collect();
    let used = if number <= 128 { 10 } else { 8 };
    entry.sign(SUITE, &chain_name(), &pairs.iter().take(used).collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_full_document_fits_and_no_more_than_that() {
    let entries: Vec<SignedEntry> = (1..=256).map(large).collect();
    let genesis = Genesis::assemble(Draft { entries: entries.clone(), ..draft() }).unwrap();
    assert_eq!(genesis.validator_set().size(), 128);
    assert_eq!(Genesis::parse(genesis.to_json().as_bytes()).unwrap().chain(), genesis.chain());

    let mut more = entries.clone();
    more.push(large(257));
    let expected = GenesisError::TooManyEntries { got: 257, max: limits::INSTITUTIONS };
    assert_eq!(Genesis::assemble(Draft { entries: more, ..draft() }), Err(expected));

    let mut more = entries;
    more[255] = sign(256, voter(256));
    let expected = GenesisError::TooManyValidators { got: 129, max: types::VALIDATORS };
    assert_eq!(Genesis::assemble(Draft { entries: more, ..draft() }), Err(expected));
}

#[test]
fn nodes_are_bounded() {
    // 4 validators, and 32 followers of 8 nodes each: 260.
    let follower = |number: u32| {
        let node = |at: u8| crate::MemberNode {
            node: pair(number, 5 + at).public(),
            address: address(number, 1 + u32::from(at)),
        };
        let members = List::new((0..8).map(node).collect()).unwrap();
        let entry = Entry { validator: None, members, ..voter(number) };
        let pairs = [1, 2, 5, 6, 7, 8, 9, 10, 11, 12].map(|what| pair(number, what));
        entry.sign(SUITE, &chain_name(), &pairs.each_ref()).unwrap()
    };
    let mut entries: Vec<SignedEntry> = (1..=4).map(|n| sign(n, voter(n))).collect();
    entries.extend((5..=36).map(follower));
    let expected = GenesisError::TooManyNodes { got: 260, max: limits::NODES };
    assert_eq!(Genesis::assemble(Draft { entries, ..draft() }), Err(expected));
}

/// What institutions sign is pinned: another implementation must come to the same bytes.
#[test]
fn what_an_entry_signs_is_pinned() {
    let digest = voter(1).digest(SUITE, &chain_name()).to_string();
    assert_eq!(digest, "457fce2cfe4520d43dc151feffa30de4c86b2dd77f192a13c56ee5b0604aca7d");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever byte is changed, the document is refused or is another chain; or it is another
    /// spelling of the same document. Nothing panics.
    #[test]
    fn a_changed_byte_is_another_chain_or_none(
        at in any::<prop::sample::Index>(), byte: u8
    ) {
        let mut text = genesis().to_json().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(other) = Genesis::parse(&text) {
            prop_assert_eq!(other.chain() == genesis().chain(), other == genesis());
        }
    }
}
