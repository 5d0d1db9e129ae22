//! The tables of docs/SCALE.md, each between two marks.
#![expect(clippy::float_arithmetic, reason = "figures for people: nothing is decided by them")]

use super::{
    bounds::bounds,
    compare::{Row, per_cent},
    costs::Costs,
    model::{Bound, model, seal_bytes},
    setting::Load,
    years::{GROWTHS, PAYLOAD, RECORDS, blocks_of, setting, stored_block, years},
};
use probata_types::validator::{faulty, quorum};

/// Numbers of validators that are looked at.
pub(super) const VALIDATORS: [usize; 5] = [4, 7, 13, 31, 87];
/// Seconds between blocks that are made as fast as they can, and not.
const APART: [f64; 2] = [0.0, 0.2];
const HOUR: f64 = 3_600.0;

/// A table by its name.
pub(super) type Table = (&'static str, String);

/// All tables.
pub(super) fn tables(rows: &[Row], costs: &Costs, submission: u64) -> Vec<Table> {
    let (full, steady): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| row.setting.load == Load::Full);
    vec![
        (
            "costs",
            table(&["what", "figure", "where from"], costs.sources().into_iter().map(Vec::from)),
        ),
        ("blocks", blocks(&steady)),
        ("finality", finality(&steady)),
        ("ceiling", ceiling(&full)),
        ("years", ten_years(costs, submission)),
        ("bounds", met(costs, submission)),
        ("seats", seats(costs, submission)),
    ]
}

/// Puts the tables between their marks.
///
/// # Errors
/// The mark that is missing.
pub(super) fn fill(page: &str, tables: &[Table]) -> Result<String, String> {
    let mut page = page.to_owned();
    for (name, text) in tables {
        let (begin, end) = (format!("<!-- scale {name} -->\n"), format!("<!-- end {name} -->"));
        let (before, rest) = page.split_once(&begin).ok_or_else(|| begin.clone())?;
        let (_, after) = rest.split_once(&end).ok_or_else(|| end.clone())?;
        page = format!("{before}{begin}{text}{end}{after}");
    }
    Ok(page)
}

fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|it| (*it).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}{}{rows}", line(&head), line(&rule))
}

fn place(row: &Row) -> Vec<String> {
    vec![row.setting.validators.to_string(), format!("{} ms", row.setting.round_trip_ms)]
}

/// Model, simulation, and the difference.
fn pair(model: f64, seen: f64, digits: usize) -> String {
    format!("{model:.digits$} / {seen:.digits$} ({:+.0} %)", per_cent(model, seen))
}

fn blocks(rows: &[&Row]) -> String {
    let line = |row: &&Row| {
        let (model, seen) = (&row.model, &row.seen);
        let mut cells = place(row);
        cells.push(pair(model.records, seen.records, 0));
        cells.push(pair(model.messages, seen.messages, 0));
        cells.push(pair(model.bytes / 1e3, seen.bytes / 1e3, 0));
        cells.push(pair(model.vote_checks, seen.vote_checks, 0));
        cells.push(pair(model.submission_checks, seen.submission_checks, 0));
        cells.push(pair(model.seal_bytes, seen.seal_bytes, 0));
        cells
    };
    let head = [
        "n",
        "round trip",
        "records",
        "messages",
        "kB on the wire",
        "votes checked by one",
        "submissions checked by one",
        "bytes of the seal",
    ];
    table(&head, rows.iter().map(line))
}

fn finality(rows: &[&Row]) -> String {
    let line = |row: &&Row| {
        let mut cells = place(row);
        cells.push(pair(row.model.finality_ms, row.seen.finality_ms, 1));
        cells.push(format!("{:.1}", row.seen.p99_ms));
        cells.push(pair(row.model.records_per_second, row.seen.records_per_second, 0));
        cells
    };
    let head = ["n", "round trip", "finality, mean ms", "p99 ms, simulated", "records/s"];
    table(&head, rows.iter().map(line))
}

fn ceiling(rows: &[&Row]) -> String {
    let line = |row: &&Row| {
        let mut cells = place(row);
        cells.push(pair(row.model.records_per_second, row.seen.records_per_second, 0));
        cells.push(pair(row.model.records, row.seen.records, 0));
        cells.push(pair(row.model.bytes / 1e6, row.seen.bytes / 1e6, 1));
        cells.push(in_words(row.model.bound_by).to_owned());
        cells
    };
    let head =
        ["n", "round trip", "records/s", "records a block", "MB on the wire a block", "bound by"];
    table(&head, rows.iter().map(line))
}

const fn in_words(bound: Bound) -> &'static str {
    match bound {
        Bound::Round => "one phase after the other",
        Bound::ChainThread => "the chain thread",
        Bound::Votes => "checking votes",
        Bound::Submissions => "checking submissions",
        Bound::Link => "the leader's link",
    }
}

fn ten_years(costs: &Costs, submission: u64) -> String {
    let mut rows = Vec::new();
    for ((name, growth), apart) in GROWTHS.iter().flat_map(|it| APART.map(|apart| (it, apart))) {
        for year in years(costs, submission, *growth, apart, 10) {
            if ![1, 3, 5, 10].contains(&year.year) {
                continue;
            }
            rows.push(vec![
                (*name).to_owned(),
                format!("{:.0} ms", apart * 1e3),
                year.year.to_string(),
                format!("{:.0} M", year.records / 1e6),
                format!("{:.2} bn", year.all_records / 1e9),
                format!("{:.2} bn", year.all_blocks / 1e9),
                format!("{:.2} TB", year.disk / 1e12),
                format!("{:.0} MB", year.resident / 1e6),
                format!("{:.1} GB", year.filters / 1e9),
                format!("{:.1} s", year.restart),
                format!("{:.0} h", year.replay / HOUR),
                format!("{:.1} h", year.snapshot / HOUR),
                format!("{:.1} h", year.back_fill / HOUR),
            ]);
        }
    }
    let head = [
        "growth",
        "blocks apart",
        "year",
        "records in it",
        "records",
        "blocks",
        "disk",
        "resident",
        "filters",
        "start",
        "join, executing all",
        "join, snapshot",
        "back-fill",
    ];
    table(&head, rows)
}

fn met(costs: &Costs, submission: u64) -> String {
    let mut rows = Vec::new();
    for met in bounds(costs, submission, APART[1]) {
        let mut row = vec![met.bound];
        let said = |year: Option<u32>| year.map_or("not within 30".to_owned(), |it| it.to_string());
        row.extend(met.years.into_iter().map(said));
        rows.push(row);
    }
    table(&["bound", GROWTHS[0].0, GROWTHS[1].0, GROWTHS[2].0], rows)
}

fn seats(costs: &Costs, submission: u64) -> String {
    let line = |n: usize| {
        let overhead = stored_block(n);
        let of_year = |apart| {
            let bytes = blocks_of(costs, submission, n, RECORDS, apart) * overhead;
            format!("{:.0} GB, {:.1} x", bytes / 1e9, bytes / PAYLOAD)
        };
        let steady = model(&setting(costs, n, Load::Offered(2_000)), submission);
        let full = model(&setting(costs, n, Load::Full), submission);
        vec![
            n.to_string(),
            faulty(n).to_string(),
            quorum(n).to_string(),
            format!("{:.0}", seal_bytes(n)),
            of_year(APART[0]),
            of_year(APART[1]),
            format!("{:.0}", steady.messages),
            format!("{:.1} kB", steady.bytes / steady.records / 1e3),
            format!("{:.1} ms", steady.finality_ms),
            format!("{:.0}", full.records_per_second),
        ]
    };
    let head = [
        "n",
        "may fail",
        "must agree",
        "bytes of the seal",
        "headers and seals a year, as fast as can be",
        "the same, 200 ms apart",
        "messages a block",
        "wire, a record",
        "finality at 2,000/s",
        "ceiling, records/s",
    ];
    table(&head, VALIDATORS.map(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced_and_nothing_else() {
        let page = "a\n<!-- scale x -->\nold\n<!-- end x -->\nb\n";
        let filled = fill(page, &[("x", "new\n".to_owned())]);
        assert_eq!(filled.unwrap(), "a\n<!-- scale x -->\nnew\n<!-- end x -->\nb\n");
        assert!(fill("no marks", &[("x", String::new())]).is_err());
    }
}
