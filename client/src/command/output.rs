//! What a command prints: text for people, JSON for programs.

use super::failure::Failure;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Standard output and error. A reader that goes away (`| head`) is no failure.
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs read the answer.
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people.
    pub(super) fn line(&mut self, text: &str) {
        if !self.json {
            self.write(text);
        }
    }

    /// A value for programs.
    pub(super) fn value(&mut self, value: &Value) {
        if self.json {
            self.write(&value.to_string());
        }
    }

    /// Text for people, or its value for programs.
    pub(super) fn answer(&mut self, text: &str, value: &Value) {
        self.line(text);
        self.value(value);
    }

    /// The reason of a failure, on standard error.
    pub(super) fn failure(&mut self, failure: &Failure) {
        let text = if self.json {
            let Failure { code, message, action } = failure;
            json!({ "error": { "exit_code": code, "message": message, "action": action } })
                .to_string()
        } else {
            format!("probata: {}\n  -> {}", failure.message, failure.action)
        };
        let _closed = writeln!(io::stderr().lock(), "{text}");
    }

    fn write(&mut self, text: &str) {
        let mut out = io::stdout().lock();
        let _closed = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
    }
}

/// A table for people.
pub(super) fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(head.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// A field of a node's JSON as text; empty if it is not there.
pub(super) fn field(value: &Value, path: &str) -> String {
    match value.pointer(path) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.chars().filter(|c| !c.is_control()).collect(),
        Some(other) => other.to_string(),
    }
}
