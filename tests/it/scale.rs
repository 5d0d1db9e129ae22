//! `scale`: that paper and virtual time say the same, and that a setting always gives the same figures.

use probata_tests::{
    Trouble,
    scale::{AGREE, Costs, Load, Setting, compare},
};

fn setting(validators: usize, round_trip_ms: u64, load: Load) -> Setting {
    Setting { validators, round_trip_ms, records_per_submission: 1, load, costs: Costs::MEASURED }
}

#[test]
fn the_model_and_production_replicas_in_virtual_time_agree() -> Result<(), Trouble> {
    let steady = Load::Offered(2_000);
    let settings =
        [(4, 1, steady), (4, 30, steady), (7, 1, steady), (7, 30, steady), (4, 30, Load::Full)];
    for (validators, round_trip, load) in settings {
        let row = compare(setting(validators, round_trip, load))?;
        for (what, difference) in row.differences() {
            assert!(difference.abs() <= AGREE, "{what} differs by {difference:.1} %: {row:?}");
        }
    }
    Ok(())
}

/// Counts that do not depend on time are the same to the last one.
#[test]
fn messages_votes_and_seals_are_as_the_protocol_says() -> Result<(), Trouble> {
    let row = compare(setting(7, 10, Load::Offered(500)))?;
    assert_eq!((row.seen.messages, row.seen.seal_bytes), (90.0, 346.0), "{row:?}");
    assert_eq!((row.model.messages, row.model.seal_bytes), (90.0, 346.0), "{row:?}");
    Ok(())
}

#[test]
fn a_setting_gives_the_same_figures_again_and_a_slower_processor_others() -> Result<(), Trouble> {
    let fast = setting(4, 1, Load::Offered(1_000));
    assert_eq!(compare(fast)?, compare(fast)?);
    let costs = Costs { execute_block: 20_000_000, ..Costs::MEASURED };
    let (fast, slow) = (compare(fast)?, compare(Setting { costs, ..fast })?);
    for (fast, slow) in [
        (fast.model.finality_ms, slow.model.finality_ms),
        (fast.seen.finality_ms, slow.seen.finality_ms),
    ] {
        assert!(slow > 2.0 * fast, "{fast} and {slow}");
    }
    Ok(())
}
