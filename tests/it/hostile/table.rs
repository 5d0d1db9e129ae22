//! The table of hostile inputs: what was sent, what must come back, what came back.

use probata_tests::Trouble;

/// One hostile input.
struct Row {
    area: &'static str,
    name: String,
    expected: String,
    got: String,
}

/// All of them.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Notes what came back for an input.
    pub(super) fn note(
        &mut self,
        area: &'static str,
        name: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) {
        let row = Row { area, name: name.into(), expected: expected.into(), got: got.into() };
        self.rows.push(row);
    }

    /// Prints the table.
    ///
    /// # Errors
    /// [`Trouble`] with every row that got something else, or if there are fewer than `at_least`.
    pub(super) fn finish(&self, at_least: usize) -> Result<(), Trouble> {
        let mut wrong = String::new();
        for Row { area, name, expected, got } in &self.rows {
            let mark = if expected == got { " " } else { "!" };
            println!("{mark} {area:<11} {name:<58} {got}");
            if expected != got {
                wrong.push_str(&format!("{area}: {name}: expected {expected}, got {got}\n"));
            }
        }
        println!("{} hostile inputs", self.rows.len());
        if self.rows.len() < at_least {
            return Err(Trouble::new(format!("only {} hostile inputs", self.rows.len())));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Trouble::new(wrong)) }
    }
}
