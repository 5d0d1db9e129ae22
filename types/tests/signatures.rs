//! One validity rule: single and batch verification give the same answer on every signature, those
//! of two public collections of difficult ones and random mutations of good ones.

use probata_types::{
    Hash, Keypair, PublicKey, Signature,
    key::{self, Signed},
};
use proptest::prelude::*;
use serde_json::Value;

/// A signature of a collection, with what it is called there.
struct Vector {
    name: String,
    key: PublicKey,
    message: Vec<u8>,
    signature: Signature,
}

/// What single verification says, after making sure that batches say the same: the signature alone,
/// twice, and at each place among valid ones.
fn verdict(vector: &Vector) -> bool {
    let single = key::verify_message(&vector.key, &vector.message, &vector.signature).is_ok();
    let this = (&vector.key, vector.message.as_slice(), &vector.signature);
    let pairs = [Keypair::from_secret(&[1; 32]), Keypair::from_secret(&[2; 32])];
    let keys = pairs.each_ref().map(Keypair::public);
    let digests = [Hash([3; 32]), Hash([4; 32])];
    let signatures = [pairs[0].sign(&digests[0]), pairs[1].sign(&digests[1])];
    let good = |at: usize| (&keys[at], digests[at].as_bytes().as_slice(), &signatures[at]);
    let batches = [
        vec![this],
        vec![this, this],
        vec![this, good(0), good(1)],
        vec![good(0), this, good(1)],
        vec![good(0), good(1), this],
    ];
    for batch in batches {
        let answer = key::verify_batch_messages(&batch).is_ok();
        assert_eq!(answer, single, "{} in a batch of {}", vector.name, batch.len());
    }
    single
}

fn hex_of(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("hex")
}

#[test]
fn the_twelve_of_speccheck_have_the_verdicts_of_our_rule() {
    let text = include_str!("../../tests/vectors/ed25519_speccheck.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    let expected = [
        // A of small order: such a key has no owner, it "signs" every message.
        (false, "A and R of small order, s = 0; both equations hold"),
        (false, "A of small order, R of mixed order; both equations hold"),
        // A and R canonical, A not of small order, and the cofactored equation holds: valid.
        (true, "A of mixed order, R of small order; both equations hold"),
        (true, "A and R of mixed order; both equations hold"),
        (true, "A and R of mixed order; only the cofactored equation holds"),
        // Whoever reduces 8·k modulo L first computes another point; we multiply the sum by 8 at
        // the end.
        (true, "A of mixed order; only the cofactored equation holds, done in the right order"),
        // s at or above L: a second spelling of the same signature.
        (false, "s above L"),
        (false, "s far above L"),
        // R or A not canonical: its y is not below the field's prime, a second spelling of a point.
        (false, "R not canonical, of small order; holds where R is reduced before it is hashed"),
        (false, "R not canonical, of small order; holds where R is hashed as it stands"),
        (false, "A not canonical, of small order; holds where A is reduced before it is hashed"),
        (false, "A not canonical, of small order; holds where A is hashed as it stands"),
    ];
    assert_eq!(cases.len(), expected.len());
    for (at, (case, (valid, why))) in cases.iter().zip(expected).enumerate() {
        let vector = Vector {
            name: format!("speccheck {at}: {why}"),
            key: case["pub_key"].as_str().unwrap().parse().unwrap(),
            message: hex_of(&case["message"]),
            signature: case["signature"].as_str().unwrap().parse().unwrap(),
        };
        assert_eq!(verdict(&vector), valid, "{}", vector.name);
    }
}

#[test]
fn wycheproof_agrees_with_our_rule() {
    let text = include_str!("../../tests/vectors/wycheproof_ed25519.json");
    let collection: Value = serde_json::from_str(text).unwrap();
    let (mut valid, mut invalid, mut malformed) = (0, 0, 0);
    for group in collection["testGroups"].as_array().unwrap() {
        let key: PublicKey = group["publicKey"]["pk"].as_str().unwrap().parse().unwrap();
        for test in group["tests"].as_array().unwrap() {
            let expected = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("a result that says neither: {other}"),
            };
            let name = format!("wycheproof {}: {}", test["tcId"], test["comment"]);
            // Of the wrong length: refused by the type, before there is anything to verify.
            let Ok(signature) = test["sig"].as_str().unwrap().parse() else {
                assert!(!expected, "{name}");
                malformed += 1;
                continue;
            };
            let vector = Vector { name, key, message: hex_of(&test["msg"]), signature };
            assert_eq!(verdict(&vector), expected, "{}", vector.name);
            if expected { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!((valid, invalid, malformed), (88, 51, 12));
}

#[test]
fn an_empty_batch_holds() {
    assert_eq!(key::verify_batch(&[]), Ok(()));
}

/// Two wrong signatures whose errors would cancel if all had the same weight in the sum.
#[test]
fn wrong_signatures_do_not_cancel() {
    let pair = Keypair::from_secret(&[7; 32]);
    let digests = [Hash([1; 32]), Hash([2; 32])];
    let mut batch =
        digests.map(|digest| Signed { key: pair.public(), digest, signature: pair.sign(&digest) });
    assert_eq!(key::verify_batch(&batch), Ok(()));
    // s + 1 in one and s - 1 in the other: the sum of both is as before.
    assert!(batch[0].signature.0[32] < 255 && batch[1].signature.0[32] > 0);
    batch[0].signature.0[32] += 1;
    batch[1].signature.0[32] -= 1;
    for one in &batch {
        assert!(key::verify(&one.key, &one.digest, &one.signature).is_err());
    }
    assert!(key::verify_batch(&batch).is_err());
}

#[test]
fn what_rfc_8032_signs_is_valid() {
    // Section 7.1, test 3.
    let secret = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
    let public = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
    let signature = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                     18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
    let pair = Keypair::from_secret(&hex::decode(secret).unwrap().try_into().unwrap());
    assert_eq!(pair.public().to_string(), public);
    let signature: Signature = signature.parse().unwrap();
    assert_eq!(key::verify_message(&pair.public(), &[0xaf, 0x82], &signature), Ok(()));
}

/// What a mutation changes.
#[derive(Debug, Clone)]
enum Mutation {
    None,
    Key { at: usize, bit: u8 },
    Digest { at: usize, bit: u8 },
    Signature { at: usize, bit: u8 },
    RandomSignature(Vec<u8>),
    RandomKey([u8; 32]),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        Just(Mutation::None),
        (0..32usize, 0..8u8).prop_map(|(at, bit)| Mutation::Key { at, bit }),
        (0..32usize, 0..8u8).prop_map(|(at, bit)| Mutation::Digest { at, bit }),
        (0..64usize, 0..8u8).prop_map(|(at, bit)| Mutation::Signature { at, bit }),
        prop::collection::vec(any::<u8>(), 64).prop_map(Mutation::RandomSignature),
        any::<[u8; 32]>().prop_map(Mutation::RandomKey),
    ]
}

fn mutated(secret: [u8; 32], digest: [u8; 32], mutation: &Mutation) -> Signed {
    let pair = Keypair::from_secret(&secret);
    let digest = Hash(digest);
    let mut signed = Signed { key: pair.public(), digest, signature: pair.sign(&digest) };
    match mutation {
        Mutation::None => {}
        Mutation::Key { at, bit } => signed.key.0[*at] ^= 1 << bit,
        Mutation::Digest { at, bit } => signed.digest.0[*at] ^= 1 << bit,
        Mutation::Signature { at, bit } => signed.signature.0[*at] ^= 1 << bit,
        Mutation::RandomSignature(bytes) => signed.signature.0.copy_from_slice(bytes),
        Mutation::RandomKey(bytes) => signed.key.0 = *bytes,
    }
    signed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_batch_holds_if_and_only_if_each_signature_does(
        cases in prop::collection::vec((any::<[u8; 32]>(), any::<[u8; 32]>(), mutation()), 1..6)
    ) {
        let mut all = true;
        let mut batch = Vec::new();
        for (secret, digest, mutation) in &cases {
            let signed = mutated(*secret, *digest, mutation);
            let single = key::verify(&signed.key, &signed.digest, &signed.signature).is_ok();
            prop_assert_eq!(single, matches!(mutation, Mutation::None));
            prop_assert_eq!(key::verify_batch(&[signed]).is_ok(), single);
            all &= single;
            batch.push(signed);
        }
        prop_assert_eq!(key::verify_batch(&batch).is_ok(), all);
    }
}
