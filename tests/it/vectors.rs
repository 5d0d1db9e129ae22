//! The bytes that must never change by accident: of everything that travels, is signed, or lies on
//! disk.
//!
//! `tests/vectors/README.md` says how and when to change them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod draw;
mod files;
mod form;
mod store;

use form::form;
use probata_tests::seed::Seeded;
use probata_types::Hash;
use store::{VectorFile, update};

/// The files of vectors, by what they are about.
const FILES: [&str; 6] = ["records", "blocks", "consensus", "mesh", "state", "governance"];
/// Changed byte strings that are tried for each vector.
const CHANGES: usize = 256;
/// Bytes above which a vector is only pinned: changing it so often would take seconds.
const CHANGED_BYTES: usize = 8 * 1_024;

/// Each value has the bytes and the digest that are written beside it, and is read back from them.
#[test]
fn every_value_has_its_pinned_bytes() {
    let chain = files::genesis().chain();
    for name in FILES {
        for vector in VectorFile::load(name).vectors {
            let pinned = form(&vector.form).pin(&vector.value, &chain);
            let bytes = hex::encode(&pinned.bytes);
            let digest = pinned.digest.map(|digest| digest.to_string());
            let place = format!("{name}.json: {} ({})", vector.name, vector.form);
            assert_eq!(vector.bytes, bytes, "bytes of {place}; {}", update::HOW);
            assert_eq!(vector.digest, digest, "digest of {place}; {}", update::HOW);
        }
    }
}

/// Every form that this test knows has a vector, so that none is forgotten.
#[test]
fn every_form_has_a_vector() {
    let files = FILES.map(VectorFile::load);
    for name in form::ALL {
        let found = files.iter().flat_map(|file| &file.vectors).any(|one| one.form == name);
        assert!(found, "no vector has the form {name}");
    }
}

/// What a decoder takes and refuses among many bytes close to good ones, as one digest: whoever
/// changes what is accepted, changes it.
#[test]
fn what_decoders_accept_is_pinned() {
    let mut answers = Vec::new();
    let mut accepted = 0usize;
    for name in FILES {
        for vector in VectorFile::load(name).vectors {
            let bytes = hex::decode(&vector.bytes).unwrap();
            if bytes.len() > CHANGED_BYTES {
                continue;
            }
            let form = form(&vector.form);
            assert!(form.accepts(&bytes), "{}", vector.name);
            let mut seeded = Seeded::new(0x7072_6f62_6174_6100);
            for _ in 0..CHANGES {
                let changed = changed(&bytes, &mut seeded);
                let taken = form.accepts(&changed);
                accepted += usize::from(taken);
                answers.push(u8::from(taken));
            }
        }
    }
    let tried = answers.len();
    assert!(accepted > tried / 5, "{accepted} of {tried} are too few for a digest to say much");
    assert!(accepted < answers.len(), "some are refused");
    let suite = files::genesis().suite();
    let digest = suite.hash(probata_types::Domain::Record, &[&answers]);
    files::pin("accepted", digest.as_bytes());
}

/// One to three changes: a byte set, a byte taken out or put in, an end cut off.
fn changed(bytes: &[u8], seeded: &mut Seeded) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let below = |seeded: &mut Seeded, bound: usize| {
        usize::try_from(seeded.number() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    };
    for _ in 0..=below(seeded, 3) {
        let at = below(seeded, bytes.len());
        let byte = u8::try_from(below(seeded, 256)).unwrap();
        match below(seeded, 8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            _ if !bytes.is_empty() => bytes[at] = byte,
            _ => {}
        }
    }
    bytes
}

/// A digest of the chain and of nothing else.
#[test]
fn the_chain_of_the_vectors_is_pinned() {
    files::pin("chain", files::genesis().chain().as_bytes());
    assert_ne!(files::genesis().chain(), Hash::ZERO);
}
