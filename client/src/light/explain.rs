//! Every digest on the way, by name, so that a person can redo the examination by hand from the
//! byte layouts of the format's description.

use probata_types::{
    Domain, EvidenceFile, Hash, Header, Seal,
    block::history_leaf,
    codec, merkle,
    merkle::{MerklePath, Place},
    object::next_head,
    seal::commit_digest,
    sparse::{self, SparsePath},
    state::{StateKey, StateValue},
    submission::submission_leaf,
};
use serde::Serialize;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// Lower-case hex, or a number.
    pub value: String,
}

/// All steps of a file, in the order of the checks.
pub(super) fn lines(file: &EvidenceFile) -> Vec<Line> {
    let mut lines = Lines(Vec::new());
    lines.signed(file);
    lines.recorded(file);
    lines.seal("block", &file.header, &file.seal);
    lines.anchored(file);
    for (at, change) in file.sets.iter().enumerate() {
        lines.seal(&format!("sets.{at}"), &change.header, &change.seal);
        lines.push(&format!("sets.{at}.set.bytes"), hex::encode(codec::encode(&change.set)));
        lines.push(&format!("sets.{at}.set.hash"), change.set.hash(file.suite));
    }
    lines.state(file);
    for one in &file.disclosures {
        lines.push(&format!("disclosure.{}", &*one.field), one.commitment(file.suite));
    }
    lines.0
}

struct Lines(Vec<Line>);

impl Lines {
    fn push(&mut self, name: &str, value: impl ToString) {
        self.0.push(Line { name: name.to_owned(), value: value.to_string() });
    }

    fn signed(&mut self, file: &EvidenceFile) {
        let head = &file.submission.head;
        let id = file.record_id();
        self.push("chain", file.chain);
        self.push("record.bytes", hex::encode(codec::encode(&file.record)));
        self.push("record.id", id);
        let place =
            Place { index: file.record_place.index.get(), size: u64::from(head.record_count) };
        let leaf = merkle::leaf(file.suite, Domain::Records, id.as_bytes());
        self.path("records", (file, Domain::Records), place, &leaf, &file.record_place.path);
        self.push("records.root.signed", head.records_root);
        self.push("submission.bytes", hex::encode(codec::encode(head)));
        self.push("submission.id", head.id());
        self.push("submission.key", head.key);
        self.push("submission.signature", file.submission.signature);
    }

    fn recorded(&mut self, file: &EvidenceFile) {
        let (header, submission) = (&file.header, &file.submission);
        let leaf = submission_leaf(file.suite, &submission.head.id(), &submission.signature);
        let (index, size) = (submission.place.index.get(), u64::from(header.submission_count));
        let tree = (file, Domain::Submissions);
        self.path("submissions", tree, Place { index, size }, &leaf, &submission.place.path);
        self.push("submissions.root.sealed", header.submissions_root);
        let outcome = file.outcome_leaf();
        self.push("outcome.bytes", hex::encode(codec::encode(&outcome)));
        let (index, size) = (file.outcome_place.index.get(), u64::from(header.record_count));
        let leaf = outcome.digest(file.suite);
        let tree = (file, Domain::Outcomes);
        self.path("outcomes", tree, Place { index, size }, &leaf, &file.outcome_place.path);
        self.push("outcomes.root.sealed", header.outcomes_root);
    }

    fn anchored(&mut self, file: &EvidenceFile) {
        let Some(anchor) = &file.anchor else { return };
        let leaf = history_leaf(file.suite, &file.header.hash());
        let (index, size) = (file.header.height.get(), anchor.header.height.get());
        let tree = (file, Domain::History);
        self.path("history", tree, Place { index, size }, &leaf, &anchor.history_path);
        self.push("history.root.sealed", anchor.header.history_root);
        self.seal("anchor", &anchor.header, &anchor.seal);
    }

    fn seal(&mut self, name: &str, header: &Header, seal: &Seal) {
        let hash = header.hash();
        let digest = commit_digest(header.suite, &header.chain, header.height, seal.view, &hash);
        self.push(&format!("{name}.header.bytes"), hex::encode(codec::encode(header)));
        self.push(&format!("{name}.header.hash"), hash);
        self.push(&format!("{name}.seal.view"), seal.view);
        self.push(&format!("{name}.seal.digest"), digest);
    }

    fn state(&mut self, file: &EvidenceFile) {
        let Some(state) = &file.state else { return };
        let key = StateKey::Flow(file.record.flow);
        let value = StateValue::Flow(Box::new(state.flow.value.clone()));
        self.object("flow", file, (&key, &value), &state.flow.path);
        let key = StateKey::Institution(file.submission.head.institution);
        let value = StateValue::Institution(state.institution.value.clone());
        self.object("institution", file, (&key, &value), &state.institution.path);
        self.push("state.root.sealed", file.anchor_header().state_root);
        let mut head = Hash::ZERO;
        for (at, id) in file.events.iter().flat_map(|events| events.iter()).enumerate() {
            head = next_head(file.suite, &head, id);
            self.push(&format!("events.{at}.head"), head);
        }
    }

    fn object(
        &mut self,
        name: &str,
        file: &EvidenceFile,
        (key, value): (&StateKey, &StateValue),
        path: &SparsePath,
    ) {
        let (key_hash, value_hash) = (key.hash(file.suite), value.hash(file.suite));
        self.push(&format!("{name}.key.bytes"), hex::encode(codec::encode(key)));
        self.push(&format!("{name}.key.hash"), key_hash);
        self.push(&format!("{name}.value.bytes"), hex::encode(codec::encode(value)));
        self.push(&format!("{name}.value.hash"), value_hash);
        let mut digest = sparse::leaf(file.suite, &key_hash, &value_hash);
        self.push(&format!("{name}.leaf"), digest);
        let depth = path.siblings.len();
        for (up, sibling) in path.siblings.iter().enumerate() {
            digest = if sparse::bit(&key_hash, depth - 1 - up) {
                sparse::node(file.suite, sibling, &digest)
            } else {
                sparse::node(file.suite, &digest, sibling)
            };
            self.push(&format!("{name}.step.{up}"), digest);
        }
    }

    fn path(
        &mut self,
        name: &str,
        (file, domain): (&EvidenceFile, Domain),
        place: Place,
        leaf: &Hash,
        path: &MerklePath,
    ) {
        self.push(&format!("{name}.leaf"), leaf);
        match path.steps(file.suite, domain, place, leaf) {
            Ok(steps) => {
                for (at, step) in steps.iter().enumerate() {
                    self.push(&format!("{name}.step.{at}"), step);
                }
            }
            Err(error) => self.push(&format!("{name}.error"), error),
        }
    }
}
