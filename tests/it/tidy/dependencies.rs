//! What each crate may depend on, read from the manifests.

use super::tree::{code, files_ending, has_word, read, shipped_sources};
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// The crates of the workspace, in the order in which they may depend on each other.
const CRATES: [&str; 8] =
    ["types", "genesis", "consensus", "contracts", "ledger", "node", "client", "tests"];

/// All that the pure crates may use. Whoever audits a verifier reads this list.
const PURE: [(&str, &[&str]); 4] = [
    (
        "types",
        &[
            "base64",
            "bincode",
            "blake3",
            "curve25519-dalek",
            "ed25519-dalek",
            "hex",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "unicode-normalization",
            "zeroize",
        ],
    ),
    ("genesis", &["probata-types", "hex", "serde", "serde_json", "thiserror", "zeroize"]),
    ("consensus", &["probata-types", "serde", "thiserror"]),
    ("contracts", &["probata-types", "serde"]),
];

/// What the light client uses besides what `types` and `genesis` use.
const LIGHT_CLIENT: &[&str] =
    &["probata-genesis", "probata-types", "hex", "serde", "serde_json", "sha2", "sm3", "thiserror"];

/// Words of which a pure crate's source is free: clocks, chance, I/O, threads, the order of hash
/// maps. (Floating-point arithmetic is for the workspace's lints: a serializer must name the
/// types.)
const IMPURE: [&str; 14] = [
    "std::time",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "thread_rng",
    "getrandom",
    "HashMap",
    "HashSet",
    "tokio",
    "async",
];

/// Crates that only one of ours may use, so that each kind of I/O has one place.
const ONE_PLACE: [(&str, &[&str]); 9] = [
    ("sled", &["ledger"]),
    ("libp2p", &["node"]),
    ("axum", &["node"]),
    ("hyper", &["node"]),
    ("hyper-util", &["node"]),
    ("tower-http", &["node"]),
    ("prometheus-client", &["node"]),
    ("bincode", &["types"]),
    ("curve25519-dalek", &["types"]),
];

fn manifest(path: &str) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The dependencies of a crate for its own code.
fn dependencies(name: &str) -> BTreeMap<String, Value> {
    let manifest = manifest(&format!("{name}/Cargo.toml"));
    let table = manifest.get("dependencies").and_then(Value::as_table).cloned();
    table.unwrap_or_default().into_iter().collect()
}

#[test]
fn pure_crates_use_only_what_is_listed() {
    for (name, allowed) in PURE {
        let used: BTreeSet<String> = dependencies(name).into_keys().collect();
        let allowed: BTreeSet<String> = allowed.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(used, allowed, "dependencies of {name}");
    }
}

#[test]
fn pure_crates_know_no_clock_chance_disk_or_order_of_a_hash_map() {
    for (name, _) in PURE {
        for path in shipped_sources(name) {
            let code = code(&path);
            for word in IMPURE {
                assert!(!has_word(&code, word), "{path} uses {word}");
            }
        }
    }
}

#[test]
fn the_light_client_links_only_what_is_listed() {
    let optional =
        |value: &Value| value.get("optional").and_then(Value::as_bool).unwrap_or_default();
    let used = dependencies("client").into_iter();
    let used: BTreeSet<String> =
        used.filter(|(_, value)| !optional(value)).map(|(name, _)| name).collect();
    let allowed: BTreeSet<String> = LIGHT_CLIENT.iter().map(|one| (*one).to_owned()).collect();
    assert_eq!(used, allowed);
    let sources = files_ending("client/src/light", ".rs");
    assert!(!sources.is_empty());
    for path in sources.iter().filter(|path| !super::is_test_file(path)) {
        let code = code(path);
        for word in IMPURE.iter().chain(&["reqwest", "clap"]) {
            assert!(!has_word(&code, word), "{path} uses {word}");
        }
    }
}

#[test]
fn each_kind_of_io_has_its_place() {
    for name in CRATES {
        let used = dependencies(name);
        for (library, places) in ONE_PLACE {
            assert!(
                places.contains(&name) || !used.contains_key(library),
                "{name} uses {library}, which belongs to {places:?}"
            );
        }
    }
}

/// The arrows of docs/ARCHITECTURE.md: down only, and none between consensus, contracts and ledger.
#[test]
fn crates_depend_downwards_only() {
    let allowed: [(&str, &[&str]); 6] = [
        ("types", &[]),
        ("genesis", &["types"]),
        ("consensus", &["types"]),
        ("contracts", &["types"]),
        ("ledger", &["types"]),
        ("client", &["genesis", "types"]),
    ];
    for (name, below) in allowed {
        for used in dependencies(name).keys().filter_map(|name| name.strip_prefix("probata-")) {
            assert!(below.contains(&used), "{name} depends on {used}");
        }
    }
}

#[test]
fn versions_stand_in_the_workspace_manifest_only() {
    let workspace = manifest("Cargo.toml");
    let workspace = workspace["workspace"].as_table().unwrap();
    let members: Vec<&str> =
        workspace["members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(members, CRATES);
    let known = workspace["dependencies"].as_table().unwrap();
    for name in CRATES {
        let manifest = manifest(&format!("{name}/Cargo.toml"));
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = manifest.get(table).and_then(Value::as_table).cloned().unwrap_or_default();
            for (library, value) in table {
                let inherits = value.get("workspace").and_then(Value::as_bool);
                assert_eq!(inherits, Some(true), "{name}: {library} has a version of its own");
                assert!(known.contains_key(&library), "{name}: {library} is not in the workspace");
            }
        }
        let lints = manifest["lints"].get("workspace").and_then(Value::as_bool);
        assert_eq!(lints, Some(true), "{name} does not keep the workspace's lints");
    }
}
