//! The directives of a draft's body: single-field objects whose name starts with `$`.

use super::{DraftContext, DraftError, fresh_flow, read_bounded};
use crate::{
    document::Digests,
    sdk::{clock, limits::DOCUMENT_BYTES, random},
};
use probata_types::{
    FlowId, InstitutionId,
    record::{Commitment, Subject},
};
use serde_json::Value;
use std::collections::BTreeMap;

const KNOWN: &str = "$commit, $subject, $flow, $institution, $time, $date, $money, $rate, $sha256";

/// Names that drafts of one run use for one another.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Institutions.
    pub institutions: BTreeMap<String, InstitutionId>,
    /// Flows; a name used for the first time opens one.
    pub flows: BTreeMap<String, FlowId>,
}

impl Names {
    /// The flow that a draft means: `new`, hex digits, or a name, which is noted if it is new.
    pub(super) fn flow(&mut self, text: &str) -> Result<FlowId, DraftError> {
        if text == "new" {
            return Ok(fresh_flow()?);
        }
        if let Some(flow) = text.parse().ok().or_else(|| self.flows.get(text).copied()) {
            return Ok(flow);
        }
        let flow = fresh_flow()?;
        self.flows.insert(text.to_owned(), flow);
        Ok(flow)
    }
}

/// A value to commit to, and where it stands.
#[derive(Debug)]
pub(super) struct Meant {
    pub(super) at: String,
    pub(super) value: String,
}

/// The values to commit to, by the random bytes that stand in for their commitments.
pub(super) type StandIns = BTreeMap<Commitment, Meant>;

/// Carries out every directive of a body but `$commit`, whose values are noted in `stand_ins`.
pub(super) fn resolve(
    body: &Value,
    context: &DraftContext<'_>,
    names: &Names,
    stand_ins: &mut StandIns,
) -> Result<Value, DraftError> {
    Resolver { context, names, stand_ins }.value(body, "")
}

struct Resolver<'a> {
    context: &'a DraftContext<'a>,
    names: &'a Names,
    stand_ins: &'a mut StandIns,
}

impl Resolver<'_> {
    fn value(&mut self, value: &Value, at: &str) -> Result<Value, DraftError> {
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| self.value(item, &below(at, &index.to_string())))
                    .collect()
            }
            Value::Object(fields) => {
                if let Some((name, argument)) =
                    fields.iter().find(|(name, _)| name.starts_with('$'))
                {
                    if fields.len() > 1 {
                        return Err(wrong(at, format!("{name} must stand alone in its object")));
                    }
                    return self.directive(name, argument, at);
                }
                let fields = fields.iter();
                let fields = fields
                    .map(|(name, field)| Ok((name.clone(), self.value(field, &below(at, name))?)));
                Ok(Value::Object(fields.collect::<Result<_, DraftError>>()?))
            }
            other => Ok(other.clone()),
        }
    }

    fn directive(&mut self, name: &str, argument: &Value, at: &str) -> Result<Value, DraftError> {
        let text = match argument {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(wrong(at, format!("{name} takes a text"))),
        };
        match name {
            "$commit" => self.commit(text, at),
            "$subject" => self.subject(&text, at),
            "$flow" => named(&self.names.flows, &text, "flow", at),
            "$institution" => named(&self.names.institutions, &text, "institution", at),
            "$time" => {
                let offset = self.context.utc_offset_minutes;
                Ok(clock::parse_time(&text, self.context.now, offset)?.get().into())
            }
            "$date" => {
                let offset = self.context.utc_offset_minutes;
                Ok(clock::parse_date(&text, self.context.now, offset)?.0.into())
            }
            "$sha256" => {
                let bytes = read_bounded(&self.context.folder.join(&text), DOCUMENT_BYTES)?;
                Ok(Value::String(Digests::of(&bytes).sha256.to_string()))
            }
            "$money" => decimal(&text, 2)
                .map(Value::from)
                .ok_or_else(|| wrong(at, format!("{text:?} is not an amount; write \"1234.56\""))),
            "$rate" => text
                .strip_suffix('%')
                .and_then(|number| decimal(number, 4))
                .map(Value::from)
                .ok_or_else(|| wrong(at, format!("{text:?} is not a rate; write \"4.35%\""))),
            other => Err(wrong(at, format!("there is no {other}; there are {KNOWN}"))),
        }
    }

    fn commit(&mut self, value: String, at: &str) -> Result<Value, DraftError> {
        let stand_in = Commitment(random::secret()?);
        self.stand_ins.insert(stand_in, Meant { at: at.to_owned(), value });
        Ok(Value::String(stand_in.to_string()))
    }

    fn subject(&self, identifier: &str, at: &str) -> Result<Value, DraftError> {
        let Some(key) = self.context.subject_key else {
            return Err(wrong(at, "$subject needs the consortium's subject key file".to_owned()));
        };
        let handle = Subject::handle(self.context.suite, key.as_bytes(), identifier);
        Ok(Value::String(handle.to_string()))
    }
}

fn named<T: ToString>(
    names: &BTreeMap<String, T>,
    name: &str,
    kind: &str,
    at: &str,
) -> Result<Value, DraftError> {
    match names.get(name) {
        Some(value) => Ok(Value::String(value.to_string())),
        None => {
            let known: Vec<&str> = names.keys().map(String::as_str).collect();
            let known = known.join(", ");
            Err(wrong(at, format!("there is no {kind} named {name:?}; there are: {known}")))
        }
    }
}

/// A decimal number times 10^`places`, if it has no more places than that.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let all_digits = digits.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !all_digits || fraction.len() > places || text.ends_with('.') {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn wrong(at: &str, why: String) -> DraftError {
    DraftError::Directive { at: if at.is_empty() { "body".to_owned() } else { at.to_owned() }, why }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, places, value) in [
            ("1234.56", 2, 123_456),
            ("1234.5", 2, 123_450),
            ("1234", 2, 123_400),
            ("-0.01", 2, -1),
            ("4.35", 4, 43_500),
        ] {
            assert_eq!(decimal(text, places), Some(value), "{text}");
        }
        for text in ["", ".", ".5", "1.", "1.234", "1,5", "1e3", "--1", "+1", "1.-5", "９"] {
            assert_eq!(decimal(text, 2), None, "{text}");
        }
    }
}
