//! How long the light client takes for one evidence file after ten years: of a small consortium, and of one with as many
//! validators as are expected, whose set has changed or not.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use probata_client::light::{self, Level, Request};
use probata_genesis::Genesis;
use probata_tests::{
    aged::aged,
    committee::{Committee, notarise_case},
    consortium::BEGIN,
};
use probata_types::{EvidenceFile, body::Body};
use std::hint::black_box;

/// Numbers of validators, and of changes of their set.
const SIZES: [(u16, &[u16]); 2] = [(4, &[0]), (87, &[0, 10])];

/// The genesis of a consortium, and the evidence of its loan contract.
fn evidence(validators: u16) -> (Genesis, EvidenceFile) {
    let mut committee = Committee::new(validators, BEGIN).expect("the chains open");
    let mut notarised = notarise_case(&mut committee).expect("the case is sealed");
    notarised.retain(|one| matches!(one.record.body, Body::LoanContract(_)));
    let contract = notarised.pop().expect("the case has a loan contract");
    (committee.genesis().clone(), contract.evidence)
}

fn verify(criterion: &mut Criterion) {
    for (validators, changes) in SIZES {
        let (genesis, file) = evidence(validators);
        for changes in changes {
            let file = aged(&file, &genesis, *changes).expect("it shows its state");
            let evidence = file.to_json().expect("it fits");
            let request = Request {
                evidence: evidence.as_bytes(),
                genesis: Some(&genesis),
                ..Request::default()
            };
            assert_eq!(light::verify(&request).level, Some(Level::E5), "it is a genuine file");
            let name = format!("{validators} validators, {changes} changes");
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Bytes(evidence.len() as u64));
            group.bench_function("verify", |bencher| {
                bencher.iter(|| light::verify(black_box(&request)));
            });
            group.finish();
        }
        let mut group = criterion.benchmark_group(format!("{validators} validators"));
        let document = genesis.to_json();
        group.throughput(Throughput::Bytes(document.len() as u64));
        group.bench_function("read the genesis", |bencher| {
            bencher.iter(|| Genesis::parse(black_box(document.as_bytes())));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = verify
}
criterion_main!(benches);
