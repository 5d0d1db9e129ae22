//! H7: the scan for personal data in the clear.
//!
//! Every free text of a record ([`probata_types::Text`]) is scanned, wherever it stands: the walk
//! follows the record's own serialization, so that a new field cannot be forgotten. Looked for are
//! resident identity numbers (GB 11643-1999, with check digit), mobile numbers and bank card
//! numbers (with Luhn check digit), as one run of digits or in the usual groups. Full-width digits
//! count as digits.

use probata_types::record::Record;
use serde::Serialize;

mod walk;

/// Whether a text of the record holds what looks like a person's number.
pub(crate) fn holds_personal_data(record: &Record) -> bool {
    let mut walk = walk::Walk::new(looks_personal);
    match record.serialize(&mut walk) {
        Ok(()) => walk.found(),
        Err(walk::Never) => unreachable!("our types serialize without failing"),
    }
}

/// Groups of digits in which such numbers are commonly written.
const GROUPS: [&[usize]; 6] =
    [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[3, 4, 4], &[6, 8, 4], &[6, 8, 3], &[6, 4, 4, 4]];

fn looks_personal(text: &str) -> bool {
    let runs = digit_runs(text);
    if runs.iter().any(|run| is_personal(&run.digits, run.x_follows)) {
        return true;
    }
    GROUPS.iter().any(|group| {
        runs.windows(group.len()).any(|window| {
            let lengths =
                window.iter().zip(*group).all(|(run, length)| run.digits.len() == *length);
            let joined = window[1..].iter().all(|run| run.joined);
            let last = window.last().is_some_and(|run| run.x_follows);
            let digits: Vec<u8> = window.iter().flat_map(|run| run.digits.clone()).collect();
            lengths && joined && is_personal(&digits, last)
        })
    })
}

/// Digits one after the other.
struct Run {
    digits: Vec<u8>,
    /// Only one space, hyphen or dot stands between the run before and this one.
    joined: bool,
    /// The letter X follows.
    x_follows: bool,
}

fn digit_runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut in_run = false;
    let mut gap = String::new();
    for c in text.chars() {
        if let Some(digit) = digit(c) {
            if in_run {
                runs.last_mut().expect("in a run").digits.push(digit);
            } else {
                let joined = matches!(gap.as_str(), " " | "-" | "." | "－" | "\u{3000}");
                runs.push(Run { digits: vec![digit], joined, x_follows: false });
                gap.clear();
            }
            in_run = true;
        } else {
            if in_run {
                let run = runs.last_mut().expect("in a run");
                run.x_follows = matches!(c, 'x' | 'X' | 'ｘ' | 'Ｘ');
            }
            in_run = false;
            gap.push(c);
        }
    }
    runs
}

fn digit(c: char) -> Option<u8> {
    let value = match c {
        '0'..='9' => u32::from(c) - u32::from('0'),
        '０'..='９' => u32::from(c) - u32::from('０'),
        _ => return None,
    };
    u8::try_from(value).ok()
}

fn is_personal(digits: &[u8], x_follows: bool) -> bool {
    match digits {
        [8, 6, mobile @ ..] if is_mobile(mobile) => true,
        _ => is_mobile(digits) || is_card(digits) || is_resident_id(digits, x_follows),
    }
}

/// Eleven digits that begin with 13 to 19.
fn is_mobile(digits: &[u8]) -> bool {
    digits.len() == 11 && digits[0] == 1 && (3..=9).contains(&digits[1])
}

/// 13 to 19 digits of an issuer's range with a correct check digit (ISO/IEC 7812-1, annex B).
fn is_card(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) || !matches!(digits[0], 2..=6 | 9) {
        return false;
    }
    let sum: u32 = digits.iter().rev().enumerate().map(|(at, digit)| luhn(at, *digit)).sum();
    sum.is_multiple_of(10)
}

fn luhn(at: usize, digit: u8) -> u32 {
    let digit = u32::from(digit);
    match (at % 2, digit) {
        (0, _) => digit,
        (_, 0..=4) => digit * 2,
        _ => digit * 2 - 9,
    }
}

/// Seventeen digits and a check character, with a birthday that can be (GB 11643-1999; ISO 7064 MOD
/// 11-2).
fn is_resident_id(digits: &[u8], x_follows: bool) -> bool {
    let check = match (digits.len(), x_follows) {
        (18, _) => u32::from(digits[17]),
        (17, true) => 10,
        _ => return false,
    };
    let weighted = digits[..17].iter().fold(0, |sum, digit| (sum * 2 + u32::from(*digit)) % 11);
    let two = |at: usize| digits[at] * 10 + digits[at + 1];
    let born = (18..=21).contains(&two(6)) && (1..=12).contains(&two(10));
    born && (1..=31).contains(&two(12)) && (weighted * 2 + check) % 11 == 1
}

#[cfg(test)]
mod tests;
