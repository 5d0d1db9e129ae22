//! Genuine evidence files, changed at random by the million: none makes the light client panic, and none is found consistent
//! that says something else than the genuine one does. Every change follows from the seed and its number.

use crate::{
    forge::{Judged, folder, read_index},
    seed::Seeded,
    trouble::Trouble,
};
use probata_client::light::{self, Given, Request, Verdict};
use probata_genesis::Genesis;
use probata_types::{
    EvidenceFile,
    evidence::{Disclosure, Parsed},
};
use serde_json::{Map, Number, Value};
use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

/// What is changed, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// From which all choices follow.
    pub seed: u64,
    /// Changed files.
    pub count: u64,
    /// Threads.
    pub jobs: u64,
}

/// What came of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// How often each verdict was given.
    pub verdicts: BTreeMap<String, u64>,
    /// How often each check was the first to fail.
    pub caught_by: BTreeMap<String, u64>,
    /// Changed files that were consistent and said the same: what was changed is free.
    pub harmless: u64,
    /// Changed files that were consistent and said something else, by their numbers.
    pub false_consistent: Vec<u64>,
}

/// A genuine file of the corpus with all that it is judged by.
struct Genuine {
    text: Vec<u8>,
    value: Value,
    file: EvidenceFile,
    documents: Vec<(String, Vec<u8>)>,
}

/// Changes genuine files of the corpus and judges each. `progress` is told how many are done.
///
/// # Errors
/// [`Trouble`] if the corpus cannot be read.
pub fn run(plan: Plan, progress: &(dyn Fn(u64) + Sync)) -> Result<Tally, Trouble> {
    let (genesis, genuine) = corpus()?;
    let done = AtomicU64::new(0);
    let work = |job: u64| {
        let mut tally = Tally::default();
        for number in (job..plan.count).step_by(usize::try_from(plan.jobs).unwrap_or(1)) {
            one(number, plan.seed, (&genesis, &genuine), &mut tally);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
        tally
    };
    let work = &work;
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..plan.jobs).map(|job| scope.spawn(move || work(job))).collect();
        jobs.into_iter().map(|job| job.join().expect("a panic is what is looked for")).collect()
    });
    Ok(tallies.into_iter().fold(Tally::default(), Tally::with))
}

impl Tally {
    fn with(mut self, other: Self) -> Self {
        for (name, count) in other.verdicts {
            *self.verdicts.entry(name).or_default() += count;
        }
        for (name, count) in other.caught_by {
            *self.caught_by.entry(name).or_default() += count;
        }
        self.harmless += other.harmless;
        self.false_consistent.extend(other.false_consistent);
        self.false_consistent.sort_unstable();
        self
    }
}

/// The genuine files that are consistent by themselves, and their genesis.
fn corpus() -> Result<(Genesis, Vec<Genuine>), Trouble> {
    let folder = folder();
    let genesis = Genesis::parse(&fs::read(folder.join("genesis.json"))?)?;
    let mut genuine = Vec::new();
    let mut rows: Vec<Judged> = read_index(&folder)?;
    rows.retain(|row| row.name.starts_with("genuine-") && row.expected.checks.is_empty());
    rows.retain(|row| row.checkpoint.is_none() && row.second.is_none());
    for row in rows {
        let text = fs::read(folder.join(&row.evidence))?;
        let Parsed::Evidence(file) = EvidenceFile::parse(&text)? else { continue };
        let mut documents = Vec::new();
        for (name, file) in row.documents {
            documents.push((name, fs::read(folder.join(file))?));
        }
        let value = serde_json::from_slice(&text)?;
        genuine.push(Genuine { text, value, file: *file, documents });
    }
    Ok((genesis, genuine))
}

/// The changed file of a number, and the genuine one.
///
/// # Errors
/// [`Trouble`] if the corpus cannot be read.
pub fn pair(seed: u64, number: u64) -> Result<(Vec<u8>, Vec<u8>), Trouble> {
    let (_, all) = corpus()?;
    let (genuine, changed) = change(number, seed, &all);
    Ok((changed, genuine.text.clone()))
}

fn change(number: u64, seed: u64, all: &[Genuine]) -> (&Genuine, Vec<u8>) {
    let mut chance = Seeded::new(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let genuine = &all[chance.place(all.len())];
    if chance.chance(250) {
        return (genuine, spoil_bytes(&genuine.text, &mut chance));
    }
    let mut value = genuine.value.clone();
    for _ in 0..chance.between(1, 3) {
        let donor = &all[chance.place(all.len())].value;
        let levels = chance.between(0, 9);
        spoil(&mut value, donor, levels, &mut chance);
    }
    (genuine, value.to_string().into_bytes())
}

fn one(number: u64, seed: u64, (genesis, all): (&Genesis, &[Genuine]), tally: &mut Tally) {
    let (genuine, changed) = change(number, seed, all);
    let documents: Vec<Given<'_>> =
        genuine.documents.iter().map(|(name, bytes)| Given { name, bytes }).collect();
    let report = light::verify(&Request {
        evidence: &changed,
        documents: &documents,
        genesis: Some(genesis),
        ..Request::default()
    });
    *tally.verdicts.entry(format!("{:?}", report.verdict)).or_default() += 1;
    if matches!(report.verdict, Verdict::Consistent | Verdict::ConsistentWithFindings) {
        if says_the_same(&changed, all) {
            tally.harmless += 1;
        } else {
            tally.false_consistent.push(number);
        }
        return;
    }
    let failed = report.checks.iter().find(|check| check.status == light::Status::Failed);
    let name = failed
        .map_or("nothing failed", |check| check.predicate.split(':').next().unwrap_or_default());
    *tally.caught_by.entry(name.to_owned()).or_default() += 1;
}

/// Whether every part of a changed file that says something stands in a genuine file of the same record. A holder may show
/// less; the time of writing, links that nobody asks for and the way from genesis say nothing.
fn says_the_same(changed: &[u8], all: &[Genuine]) -> bool {
    let Ok(Parsed::Evidence(file)) = EvidenceFile::parse(changed) else { return false };
    let record = file.record_id();
    let same: Vec<&EvidenceFile> =
        all.iter().map(|one| &one.file).filter(|one| one.record_id() == record).collect();
    let any = |holds: &dyn Fn(&EvidenceFile) -> bool| same.iter().any(|one| holds(one));
    let shown = |one: &Disclosure| {
        let opens = |other: &Disclosure| {
            (&one.field, &one.salt) == (&other.field, &other.salt)
                && one.value.as_bytes() == other.value.as_bytes()
        };
        any(&|genuine| genuine.disclosures.iter().any(opens))
    };
    any(&|genuine| {
        (&file.submission, &file.record_place) == (&genuine.submission, &genuine.record_place)
            && (&file.outcome, &file.outcome_place) == (&genuine.outcome, &genuine.outcome_place)
            && (&file.header, &file.seal) == (&genuine.header, &genuine.seal)
    }) && (file.anchor.is_none() || any(&|genuine| file.anchor == genuine.anchor))
        && (file.state.is_none() || any(&|genuine| file.state == genuine.state))
        && (file.events.is_none() || any(&|genuine| file.events == genuine.events))
        && file.disclosures.iter().all(shown)
}

/// Turns bits, cuts, repeats, or puts a piece elsewhere.
fn spoil_bytes(text: &[u8], chance: &mut Seeded) -> Vec<u8> {
    let mut bytes = text.to_vec();
    let at = chance.place(bytes.len());
    match chance.between(0, 4) {
        0 | 1 => bytes[at] ^= 1 << chance.between(0, 7),
        2 => bytes.truncate(at),
        3 => {
            let end = (at + chance.place(64)).min(bytes.len());
            drop(bytes.drain(at..end));
        }
        _ => {
            let end = (at + chance.place(64)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = chance.place(bytes.len());
            drop(bytes.splice(to..to, piece));
        }
    }
    bytes
}

/// Changes one value so many levels down, or above; a donor goes the same way as far as it can.
fn spoil(at: &mut Value, donor: &Value, levels: u64, chance: &mut Seeded) {
    if levels > 0 {
        match at {
            Value::Object(map) if !map.is_empty() => {
                let name = map.keys().nth(chance.place(map.len())).cloned().unwrap_or_default();
                let inner = map.get_mut(&name).expect("it is one of its names");
                return spoil(inner, &donor[&name], levels - 1, chance);
            }
            Value::Array(list) if !list.is_empty() => {
                let place = chance.place(list.len());
                let donor = donor.get(place).unwrap_or(&Value::Null);
                return spoil(&mut list[place], donor, levels - 1, chance);
            }
            _ => {}
        }
    }
    if chance.chance(300) && !donor.is_null() {
        *at = donor.clone();
        return;
    }
    match at {
        Value::Null => *at = Value::Object(Map::new()),
        Value::Bool(bit) => *bit = !*bit,
        Value::Number(number) => {
            let old = number.as_i64().unwrap_or_default();
            *number = match chance.between(0, 4) {
                0 => Number::from(old.wrapping_add(1)),
                1 => Number::from(old.wrapping_sub(1)),
                2 => Number::from(chance.between(0, 70_000)),
                3 => Number::from((1u64 << 53) - 1),
                _ => Number::from(0),
            };
        }
        Value::String(text) => spoil_text(text, chance),
        Value::Array(list) => spoil_list(list, chance),
        Value::Object(map) => {
            if let Some(name) = map.keys().nth(chance.place(map.len().max(1))).cloned() {
                if chance.chance(500) {
                    map.insert(name, Value::Null);
                } else {
                    map.remove(&name);
                }
            }
        }
    }
}

fn spoil_text(text: &mut String, chance: &mut Seeded) {
    let characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        text.push('A');
        return;
    }
    let place = chance.place(characters.len());
    let other = chance.pick(&['0', 'a', 'f', 'A', 'Z', '/', '+', '=', '9', '中']);
    let mut changed = characters;
    match chance.between(0, 3) {
        0 | 1 => changed[place] = other,
        2 => drop(changed.splice(place..=place, None)),
        _ => changed.insert(place, other),
    }
    *text = changed.into_iter().collect();
}

fn spoil_list(list: &mut Vec<Value>, chance: &mut Seeded) {
    if list.is_empty() {
        list.push(Value::from(0));
        return;
    }
    let place = chance.place(list.len());
    match chance.between(0, 3) {
        0 => drop(list.splice(place..=place, None)),
        1 => list.insert(place, list[place].clone()),
        2 => list.swap(place, 0),
        _ => list.clear(),
    }
}
