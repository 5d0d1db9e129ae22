//! Proofs, checked with the verifier's own code.

use crate::{LedgerError, Proofs, Query, fixtures::*, limits::PROOFS};
use probata_types::{Domain, Height, block::history_leaf, merkle::Place, state::StateKey};
use std::sync::atomic::{AtomicBool, Ordering};

fn check(proofs: &Proofs, keys: &[StateKey], heights: &[(Height, probata_types::Hash)]) {
    let header = &proofs.header;
    proofs.seal.verify(header, &validators()).unwrap();
    assert_eq!((proofs.states.len(), proofs.history.len()), (keys.len(), heights.len()));
    for (key, (value, path)) in keys.iter().zip(&proofs.states) {
        let key = key.hash(SUITE);
        match value {
            Some(value) => {
                path.check_present(SUITE, &key, &value.hash(SUITE), &header.state_root).unwrap();
            }
            None => path.check_absent(SUITE, &key, &header.state_root).unwrap(),
        }
    }
    for ((height, hash), path) in heights.iter().zip(&proofs.history) {
        let place = Place { index: height.get(), size: header.height.get() };
        let leaf = history_leaf(SUITE, hash);
        path.check(SUITE, Domain::History, place, &leaf, &header.history_root).unwrap();
    }
}

#[test]
fn state_absence_and_history_are_proven_against_the_head() {
    let (_, _, mut ledger) = grown(0);
    ledger.set_checkpoint_blocks(5);
    grow(&mut ledger, 23);
    let reader = ledger.reader();
    let keys = [counter(flow(1)), counter(flow(2)), counter(flow(250)), StateKey::RulePack];
    let heights: Vec<_> = (0..23)
        .map(Height::new)
        .map(|height| {
            let sealed = reader.sealed_header(height).unwrap();
            (height, sealed.map_or(CHAIN, |(header, _)| header.hash()))
        })
        .collect();
    let asked: Vec<Height> = heights.iter().map(|(height, _)| *height).collect();
    let proofs = reader.prove(&keys, &asked).unwrap();
    assert_eq!(proofs.header.height, Height::new(23));
    let present: Vec<bool> = proofs.states.iter().map(|(value, _)| value.is_some()).collect();
    assert_eq!(present, [true, true, false, false]);
    check(&proofs, &keys, &heights);
}

#[test]
fn what_no_header_covers_is_refused() {
    let (_, _, mut ledger) = grown(0);
    let reader = ledger.reader();
    assert!(matches!(reader.prove(&[], &[]), Err(LedgerError::NotCovered { .. })));
    grow(&mut ledger, 3);
    assert!(reader.prove(&[], &[Height::new(2)]).is_ok());
    for height in [3, 4, u64::MAX >> 11] {
        let refused = reader.prove(&[], &[Height::new(height)]);
        assert!(matches!(refused, Err(LedgerError::NotCovered { .. })));
    }
    let many = vec![Height::ZERO; PROOFS + 1];
    assert!(matches!(reader.prove(&[], &many), Err(LedgerError::TooMany { .. })));
}

#[test]
fn a_reader_sees_whole_blocks_only_while_the_writer_goes_on() {
    let (_, _, mut ledger) = grown(2);
    ledger.set_checkpoint_blocks(4);
    let reader = ledger.reader();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut rounds, mut last) = (0, Height::ZERO);
            while !done.load(Ordering::Relaxed) || rounds == 0 {
                let keys = [counter(flow(1)), counter(flow(2)), counter(flow(250))];
                let before = reader.sealed_header(Height::new(1)).unwrap().unwrap().0.hash();
                let proofs = reader.prove(&keys, &[Height::new(1)]).unwrap();
                check(&proofs, &keys, &[(Height::new(1), before)]);
                assert!(proofs.header.height >= last, "the head never falls");
                last = proofs.header.height;
                let page = reader.search(&Query::Flow(flow(1)), None, 1_000).unwrap();
                assert!(page.entries.iter().all(|(_, place)| place.height <= page.complete_to));
                rounds += 1;
            }
            rounds
        });
        grow(&mut ledger, 60);
        done.store(true, Ordering::Relaxed);
        assert!(reading.join().unwrap() > 0);
    });
}
