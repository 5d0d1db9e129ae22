//! What a record is found to show depends on what happened, not on the hour at which it is tried.

use probata_tests::{
    Trouble,
    committee::{Committee, notarise_case},
    consortium,
};
use probata_types::{Outcome, Timestamp};

const HOUR: u64 = 3_600_000;

#[test]
fn the_sample_case_has_the_same_findings_at_any_hour() -> Result<(), Trouble> {
    // One minute past each hour of the day, and one minute before midnight in the rule pack's zone.
    let midnight = consortium::BEGIN.get() - (consortium::BEGIN.get() + 8 * HOUR) % (24 * HOUR);
    let minutes = (0..24).map(|hour| hour * 60 + 1).chain([24 * 60 - 1]);
    let mut first: Option<Vec<(String, Outcome)>> = None;
    for minute in minutes {
        let begin = Timestamp::new(midnight + minute * 60_000);
        let mut committee = Committee::new(4, begin)?;
        let records = notarise_case(&mut committee)?;
        for record in &records {
            assert!(record.evidence.outcome.is_accepted(), "{} at {minute}", record.name);
        }
        let found = records.into_iter().map(|it| (it.name, it.evidence.outcome));
        let found: Vec<(String, Outcome)> = found.collect();
        assert_eq!(*first.get_or_insert_with(|| found.clone()), found, "at minute {minute}");
    }
    Ok(())
}
