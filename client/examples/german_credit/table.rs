//! The table of loans: the columns of the Statlog German Credit Data (H. Hofmann, UCI Machine
//! Learning Repository, CC BY 4.0) that a loan's life can be told from.

use std::collections::BTreeMap;

/// Months of the longest loan that is taken; a schedule holds as many rows.
const MONTHS: u16 = 120;

/// One loan.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The line of the file, as it is: the document that stands behind the records.
    pub(crate) line: String,
    /// The number of the loan, from 1.
    pub(crate) number: usize,
    /// In whole German marks.
    pub(crate) amount: u32,
    /// The term.
    pub(crate) months: u16,
    /// What for.
    pub(crate) purpose: String,
    /// Whether somebody else answers for it.
    pub(crate) guaranteed: bool,
    /// Whether it was repaid.
    pub(crate) good: bool,
}

/// Reads the table.
pub(crate) fn read(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines();
    let head = fields(lines.next().ok_or("the file is empty")?);
    let columns: BTreeMap<&str, usize> =
        head.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut rows = Vec::new();
    for (at, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let number = at + 1;
        let fields = fields(line);
        let row = row(number, line, &|name| {
            let column = *columns.get(name).ok_or(format!("there is no column {name}"))?;
            fields.get(column).map(String::as_str).ok_or(format!("there is no {name}"))
        });
        rows.push(row.map_err(|why| format!("loan {number}: {why}"))?);
    }
    Ok(rows)
}

fn row<'a>(
    number: usize,
    line: &str,
    field: &dyn Fn(&str) -> Result<&'a str, String>,
) -> Result<Row, String> {
    let months: u16 = number_of(field("duration_in_month")?)?;
    if !(1..=MONTHS).contains(&months) {
        return Err(format!("{months} months are not 1 to {MONTHS}"));
    }
    Ok(Row {
        line: line.to_owned(),
        number,
        amount: number_of(field("credit_amount")?)?,
        months,
        purpose: field("purpose")?.to_owned(),
        guaranteed: field("other_debtors_or_guarantors")? != "none",
        good: match field("creditability")? {
            "good" => true,
            "bad" => false,
            other => return Err(format!("creditability is {other:?}, not good or bad")),
        },
    })
}

fn number_of<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not a whole number in range"))
}

/// The fields of a line; quotes may enclose commas (RFC 4180, without line breaks in fields).
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                field.push('"');
                rest.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}
