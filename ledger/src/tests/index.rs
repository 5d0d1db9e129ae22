//! Finding blocks, records and submissions.

use crate::{Cursor, LedgerError, LedgerReader, Page, Query, RecordPlace, fixtures::*};
use probata_types::{Hash, Height, RecordId, Submission, Timestamp, codec};

/// All entries of a query, in pages of `limit`, each cursor by way of its text.
fn all(reader: &LedgerReader, query: &Query, limit: usize) -> Vec<(RecordId, RecordPlace)> {
    let (mut entries, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let page: Page = reader.search(query, after.as_ref(), limit).unwrap();
        assert!(page.entries.len() <= limit);
        assert_eq!(page.complete_to, reader.head().height);
        entries.extend(page.entries);
        match page.next {
            Some(cursor) => after = Some(cursor.to_string().parse().unwrap()),
            None => return entries,
        }
    }
}

/// The same by reading every block.
fn by_hand(
    reader: &LedgerReader,
    wanted: impl Fn(&probata_types::Submission, &probata_types::Record, Timestamp) -> bool,
) -> Vec<(RecordId, RecordPlace)> {
    let mut found = Vec::new();
    for height in 1..=reader.head().height.get() {
        let height = Height::new(height);
        let block = reader.block(height).unwrap().unwrap();
        let mut leaf = 0;
        for (at, submission) in (0..).zip(&block.proposal.submissions) {
            for (index, (record, id)) in
                (0..).zip(submission.records.iter().zip(submission.record_ids().iter().copied()))
            {
                let accepted = block.outcomes[leaf as usize].is_accepted();
                if wanted(submission, record, block.header.time) {
                    let place = RecordPlace { height, leaf, submission: at, index, accepted };
                    found.push((id, place));
                }
                leaf += 1;
            }
        }
    }
    found
}

#[test]
fn every_query_gives_what_reading_every_block_gives_in_pages_of_any_size() {
    // Some entries in the store, some draining, some in memory.
    let (_, _, mut ledger) = grown(0);
    ledger.set_checkpoint_blocks(8);
    grow(&mut ledger, 21);
    ledger.set_fresh_aside();
    grow(&mut ledger, 30);
    let reader = ledger.reader();
    let expected = [
        (Query::Flow(flow(1)), by_hand(&reader, |_, record, _| record.flow == flow(1))),
        (Query::Flow(flow(2)), by_hand(&reader, |_, record, _| record.flow == flow(2))),
        (Query::Flow(flow(199)), Vec::new()),
        (
            Query::Institution(institution(2)),
            by_hand(&reader, |of, _, _| of.head.institution == institution(2)),
        ),
        (Query::Type(7), by_hand(&reader, |_, _, _| true)),
        (Query::Type(1), Vec::new()),
        (
            Query::Time { from: time(5), to: time(12) },
            by_hand(&reader, |_, _, at| time(5) <= at && at < time(12)),
        ),
        (Query::Time { from: time(12), to: time(5) }, Vec::new()),
        (Query::Document(digest(1)), by_hand(&reader, |_, record, _| record.flow == flow(1))),
        (Query::Subject(subject(2)), by_hand(&reader, |_, record, _| record.flow == flow(2))),
    ];
    assert!(expected[0].1.len() > 10 && expected[6].1.len() > 5);
    for (query, expected) in expected {
        for limit in [1, 2, 7, 1_000] {
            assert_eq!(all(&reader, &query, limit), expected, "{query:?} by {limit}");
        }
    }
}

#[test]
fn a_cursor_is_a_place_and_other_texts_are_refused() {
    let (_, _, ledger) = grown(9);
    let reader = ledger.reader();
    let times = Query::Time { from: time(0), to: time(9) };
    // A cursor before the beginning of the times asked for does not widen them.
    let early = reader.search(&times, None, 1).unwrap().next.unwrap();
    let late = Query::Time { from: time(7), to: time(9) };
    assert_eq!(
        reader.search(&late, Some(&early), 9).unwrap(),
        reader.search(&late, None, 9).unwrap()
    );
    let above = format!("{}{}", "ff".repeat(8), "00".repeat(4));
    for text in ["", "0", "zz", &"AB".repeat(12), "é", &"00".repeat(13), &"+1".repeat(12), &above]
    {
        assert!(matches!(text.parse::<Cursor>(), Err(LedgerError::Cursor)), "{text}");
    }
}

#[test]
fn what_was_accepted_is_found_over_what_was_rejected_whichever_came_first() {
    let (_, _, mut ledger) = grown(1);
    let mut commit = |submissions| {
        let (next, changes) = block(&ledger, submissions);
        ledger.commit(&next, &changes).unwrap();
        next.header.height
    };
    // Number 5 is rejected, number 6 accepted.
    let (bad, good) = (record(9, 5), record(9, 6));
    let first = commit(vec![submission(0, 1_000, vec![bad.clone()])]);
    let second = commit(vec![submission(0, 1_000, vec![good.clone(), bad.clone()])]);
    let third = commit(vec![submission(0, 1_000, vec![good.clone()])]);
    let reader = ledger.reader();
    let id = |record: &probata_types::Record| record.id(SUITE, &CHAIN, &institution(0));
    let place = reader.record(&id(&bad)).unwrap().unwrap();
    assert_eq!((place.height, place.accepted), (first, false));
    let place = reader.record(&id(&good)).unwrap().unwrap();
    assert_eq!((place.height, place.leaf, place.accepted), (second, 0, true));
    // The key was used three times: it stands for the first submission with anything accepted.
    let of_second = submission(0, 1_000, vec![good.clone(), bad]);
    let key = of_second.head.idempotency_key;
    let found = reader.by_idempotency(&institution(0), &key).unwrap();
    assert_eq!(found, Some(of_second.id()));
    assert_eq!(reader.by_idempotency(&institution(1), &key).unwrap(), None);
    let of_third = submission(0, 1_000, vec![good]);
    let place = reader.submission(&of_third.id()).unwrap().unwrap();
    assert_eq!((place.height, place.index, place.accepted), (third, 0, true));
    assert_eq!(reader.record(&RecordId([0; 32])).unwrap(), None);
}

#[test]
fn blocks_are_served_as_they_were_committed() {
    let (_, _, mut ledger) = grown(4);
    let (next, changes) = block(&ledger, content(5));
    ledger.commit(&next, &changes).unwrap();
    let reader = ledger.reader();
    let height = Height::new(5);
    let bytes = codec::encode(&next);
    assert_eq!(reader.block_size(height).unwrap(), Some(u32::try_from(bytes.len()).unwrap()));
    assert_eq!(reader.block_bytes(height).unwrap(), Some(bytes));
    let sealed = (next.header.clone(), next.seal.clone());
    assert_eq!(reader.sealed_header(height).unwrap(), Some(sealed));
    assert_eq!(reader.block(height).unwrap(), Some(next));
    for none in [Height::ZERO, Height::new(6), Height::MAX] {
        assert_eq!(reader.block(none).unwrap(), None);
        assert_eq!(reader.sealed_header(none).unwrap(), None);
    }
}

#[test]
fn a_submission_is_read_without_the_others_and_proved_among_them() {
    let (_, _, ledger) = grown(20);
    let reader = ledger.reader();
    let mut seen = 0;
    for height in (1..=20).map(Height::new) {
        let block = reader.block(height).unwrap().unwrap();
        let submissions = &block.proposal.submissions;
        let mut first = 0;
        for (index, submission) in submissions.iter().enumerate() {
            let part = reader.part(height, index).unwrap().unwrap();
            assert_eq!((&part.header, &part.seal), (&block.header, &block.seal));
            assert_eq!((&part.submission, part.index), (submission, index));
            assert_eq!(part.outcomes, block.outcomes);
            let leaves = reader.leaves(&part).unwrap();
            let expected: Vec<Hash> = submissions.iter().map(Submission::leaf).collect();
            assert_eq!(leaves.submissions, expected);
            let outcomes = block.outcome_leaves();
            let expected: Vec<Hash> =
                outcomes.iter().map(|leaf| leaf.digest(block.header.suite)).collect();
            assert_eq!((leaves.outcomes, leaves.first), (expected, first));
            first += submission.records.len();
            seen += 1;
        }
        reader.part(height, submissions.len()).unwrap_err();
    }
    assert!(seen > 20, "{seen} submissions");
    assert!(reader.part(Height::new(21), 0).unwrap().is_none());
}
