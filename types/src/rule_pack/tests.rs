use super::*;

fn example() -> RulePack {
    let json = include_str!("../../../genesis/networks/rule-pack.json");
    serde_json::from_str(json).unwrap()
}

fn day(text: &str) -> Date {
    (0..40_000).map(Date).find(|date| date.to_string() == text).unwrap()
}

#[test]
fn the_example_pack_holds_together() {
    example().check().unwrap();
}

#[test]
fn private_lending_is_capped_at_four_times_the_prime_rate_of_the_day() {
    let pack = example();
    let cap = |class, date| pack.rate_cap(class, day(date));
    // 4 × 3.00 %, and 4 × 3.45 % two years earlier.
    assert_eq!(cap(LenderClass::NonFinancial, "2025-06-01"), Some(Rate(120_000)));
    assert_eq!(cap(LenderClass::NonFinancial, "2024-01-15"), Some(Rate(138_000)));
    assert_eq!(cap(LenderClass::Bank, "2025-06-01"), Some(Rate(240_000)));
    assert_eq!(cap(LenderClass::Bank, "1994-06-01"), None);
}

#[test]
fn the_prime_rate_changes_on_its_first_day() {
    let pack = example();
    assert_eq!(pack.lpr_on(day("2025-05-19")), Some(Rate(31_000)));
    assert_eq!(pack.lpr_on(day("2025-05-20")), Some(Rate(30_000)));
    assert_eq!(pack.lpr_on(day("2019-08-19")), None);
}

#[test]
fn a_pack_that_contradicts_itself_is_refused() {
    let broken = |change: fn(&mut RulePack)| {
        let mut pack = example();
        change(&mut pack);
        pack.check().unwrap_err()
    };
    assert_eq!(broken(|p| p.utc_offset_minutes = 900), RulePackError::Offset);
    assert_eq!(
        broken(|p| p.lpr_one_year.as_mut_slice().reverse()),
        RulePackError::Order("lpr_one_year")
    );
    assert_eq!(broken(|p| p.rate_caps.as_mut_slice().reverse()), RulePackError::Order("rate_caps"));
    assert_eq!(
        broken(|p| p.guarantee_schemes =
            List::new([p.guarantee_schemes.to_vec(), p.guarantee_schemes.to_vec()].concat())
                .unwrap()),
        RulePackError::Order("guarantee_schemes")
    );
    assert_eq!(broken(|p| p.work_hours.to = 1_441), RulePackError::Hours("work_hours"));
    assert_eq!(broken(|p| p.collection.hours.to = 0), RulePackError::Hours("collection.hours"));
    assert_eq!(
        broken(|p| p.guarantee_schemes.as_mut_slice()[0].shares = List::empty()),
        RulePackError::Shares
    );
}
