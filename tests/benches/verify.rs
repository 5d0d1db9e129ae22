//! How long the light client takes for one evidence file: of a small consortium, and of one with as
//! many validators as are expected.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use probata_client::light::{self, Level, Request};
use probata_genesis::Genesis;
use probata_tests::{
    committee::{Committee, notarise_case},
    consortium::BEGIN,
};
use probata_types::body::Body;
use std::hint::black_box;

/// Numbers of validators.
const SIZES: [u16; 2] = [4, 87];

/// The genesis of a consortium, and the evidence of its loan contract.
fn evidence(validators: u16) -> (Genesis, String) {
    let mut committee = Committee::new(validators, BEGIN).expect("the chains open");
    let notarised = notarise_case(&mut committee).expect("the case is sealed");
    let contract = notarised.iter().find(|one| matches!(one.record.body, Body::LoanContract(_)));
    let evidence = &contract.expect("the case has a loan contract").evidence;
    (committee.genesis().clone(), evidence.to_json().expect("it fits"))
}

fn verify(criterion: &mut Criterion) {
    for validators in SIZES {
        let (genesis, evidence) = evidence(validators);
        let request = Request {
            evidence: evidence.as_bytes(),
            genesis: Some(&genesis),
            ..Request::default()
        };
        assert_eq!(light::verify(&request).level, Some(Level::E5), "it is a genuine file");
        let mut group = criterion.benchmark_group(format!("{validators} validators"));
        group.throughput(Throughput::Bytes(evidence.len() as u64));
        group.bench_function("verify", |bencher| {
            bencher.iter(|| light::verify(black_box(&request)));
        });
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
