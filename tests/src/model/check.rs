//! Looks at every state within the bounds, and says what was found.

use super::Protocol;
use stateright::{Checker, Expectation, HasDiscoveries, Model};
use std::{collections::BTreeSet, fmt};

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// Different states.
    pub states: usize,
    /// States that steps led to, repeats among them.
    pub generated: usize,
    /// Length of the longest of the shortest ways to a state, the first state counted.
    pub depth: usize,
    /// What is claimed, and whether it is so.
    pub findings: Vec<Finding>,
}

/// One claim.
#[derive(Debug)]
pub struct Finding {
    /// Its name.
    pub name: &'static str,
    /// Whether it is to hold in every state, and not in some.
    pub always: bool,
    /// A way to a state that violates it or, of what is to happen in some state, that shows it.
    pub trace: Option<Vec<String>>,
}

impl Finding {
    /// Whether it is as claimed.
    pub const fn holds(&self) -> bool {
        self.always == self.trace.is_none()
    }
}

impl Report {
    /// Whether all is as claimed.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(Finding::holds)
    }

    /// The way to a violation, or to an example.
    pub fn trace(&self, name: &str) -> Option<&[String]> {
        self.findings.iter().find(|it| it.name == name)?.trace.as_deref()
    }
}

/// Looks at every state; with `until`, only until this claim is found violated, or shown.
pub fn check(protocol: Protocol, until: Option<&'static str>) -> Report {
    let finish = match until {
        Some(name) => HasDiscoveries::AnyOf(BTreeSet::from([name])),
        None => HasDiscoveries::All,
    };
    let checker = protocol.checker().finish_when(finish).spawn_bfs().join();
    let mut discoveries = checker.discoveries();
    let findings = protocol.properties().into_iter().map(|property| Finding {
        name: property.name,
        always: property.expectation == Expectation::Always,
        trace: discoveries.remove(property.name).map(|path| protocol.trace(path)),
    });
    let findings = findings.collect();
    let (states, generated) = (checker.unique_state_count(), checker.state_count());
    Report { states, generated, depth: checker.max_depth(), findings }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, generated, depth, findings } = self;
        writeln!(f, "{states} states, {generated} generated, depth {depth}")?;
        for finding in findings {
            let kind = if finding.always { "always" } else { "sometimes" };
            let result = match (finding.always, &finding.trace) {
                (true, None) => "holds",
                (true, Some(_)) => "VIOLATED",
                (false, Some(_)) => "shown",
                (false, None) => "NOT SHOWN",
            };
            writeln!(f, "{kind:9}  {:70}  {result}", finding.name)?;
        }
        Ok(())
    }
}
