//! When each bound is met.
#![expect(clippy::float_arithmetic, reason = "figures for people: nothing is decided by them")]

use super::{
    costs::Costs,
    model::model,
    setting::Load,
    years::{CHAIN, GROWTHS, Year, setting, years},
};
use serde::Serialize;

/// Years that are looked at.
const YEARS: u32 = 30;
/// Records a second of the busiest ten minutes of the first year: the end of a quarter.
const QUARTER_END: f64 = 3_400.0;
/// The same of a day on which instalments are due.
const REPAYMENT_DAY: f64 = 125.0;
/// Bytes that the store's cache takes unless `node.toml` says otherwise.
const CACHE: f64 = 64.0 * 1_024.0 * 1_024.0;
const DAY: f64 = 86_400.0;

/// A bound, and the year in which it is met with each growth; `None` if not within 30.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Met {
    pub(super) bound: String,
    pub(super) years: Vec<Option<u32>>,
}

/// A bound in words, and whether it is met.
type Check = (String, Box<dyn Fn(&Year) -> bool>);

/// All bounds.
pub(super) fn bounds(costs: &Costs, submission: u64, apart: f64) -> Vec<Met> {
    let ceiling = model(&setting(costs, CHAIN.0, Load::Full), submission).records_per_second;
    let above = format!("passes the ceiling of {ceiling:.0} records/s");
    let checks: [Check; 9] = [
        ("4 TB of disk".to_owned(), Box::new(|it| it.disk > 4e12)),
        ("400 MB resident".to_owned(), Box::new(|it| it.resident > 400e6)),
        (
            "the store's filters outgrow its cache of 64 MiB".to_owned(),
            Box::new(|it| it.filters > CACHE),
        ),
        ("16 GB of filters".to_owned(), Box::new(|it| it.filters > 16e9)),
        ("a start takes a minute".to_owned(), Box::new(|it| it.restart > 60.0)),
        (
            "joining by executing all takes a weekend".to_owned(),
            Box::new(|it| it.replay > 2.0 * DAY),
        ),
        (
            "joining by snapshot takes a day, back-fill aside".to_owned(),
            Box::new(|it| it.snapshot > DAY),
        ),
        (
            format!("a repayment day (125/s) {above}"),
            Box::new(move |it| it.grown * REPAYMENT_DAY > ceiling),
        ),
        (
            format!("the end of a quarter (3,400/s) {above}"),
            Box::new(move |it| it.grown * QUARTER_END > ceiling),
        ),
    ];
    let all: Vec<Vec<Year>> =
        GROWTHS.iter().map(|(_, growth)| years(costs, submission, *growth, apart, YEARS)).collect();
    let met = |(bound, is_met): Check| Met {
        bound,
        years: all.iter().map(|it| it.iter().find(|year| is_met(year)).map(|it| it.year)).collect(),
    };
    checks.into_iter().map(met).collect()
}
