//! How far a check is: a bar on a terminal, a line now and then elsewhere.
#![expect(clippy::print_stderr, reason = "a command talks to its terminal")]

use super::per_second;
use crate::limits;
use indicatif::{ProgressBar, ProgressStyle};
use probata_ledger::{Progress, Stage};
use std::{
    cell::Cell,
    io::IsTerminal as _,
    time::{Duration, Instant},
};

/// Shows how far a check is.
pub(super) struct Meter {
    /// On a terminal.
    bar: Option<ProgressBar>,
    begin: Instant,
    /// When the last line or text was written, and in which stage.
    last: Cell<(Option<Stage>, Instant)>,
}

impl Meter {
    pub(super) fn new() -> Self {
        let template = "{wide_bar} {percent} %  {decimal_bytes} of {decimal_total_bytes}, \
                        {decimal_bytes_per_sec}, {eta} left  {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        let bar = || ProgressBar::new(0).with_style(style);
        let bar = std::io::stderr().is_terminal().then(bar);
        let begin = Instant::now();
        Self { bar, begin, last: Cell::new((None, begin)) }
    }

    pub(super) fn show(&self, progress: &Progress) {
        let (stage, at) = self.last.get();
        let pause = if self.bar.is_some() { limits::FSCK_TEXTS } else { limits::FSCK_LINES };
        let ended = progress.stage == Stage::Blocks && progress.checked == progress.log;
        if stage == Some(progress.stage) && at.elapsed() < pause && !ended {
            return;
        }
        self.last.set((Some(progress.stage), Instant::now()));
        match &self.bar {
            Some(bar) => {
                bar.set_length(progress.of_bytes);
                bar.set_position(progress.bytes);
                bar.set_message(text(progress));
            }
            None => eprintln!("{}", self.line(progress)),
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, progress: &Progress) -> String {
        let (text, took) = (text(progress), self.begin.elapsed());
        let Progress { bytes, of_bytes, .. } = *progress;
        let (done, of) = (megabytes(bytes), megabytes(of_bytes));
        let rate = per_second(bytes, took);
        let left = of_bytes.saturating_sub(bytes).checked_div(rate);
        match left.map(Duration::from_secs) {
            Some(left) if progress.stage == Stage::Blocks => {
                let rate = megabytes(rate);
                format!("{text}: {done} of {of}, {rate} a second, {left:?} left")
            }
            _ => text,
        }
    }
}

fn text(progress: &Progress) -> String {
    let Progress { stage, checked, log, records, .. } = progress;
    match stage {
        Stage::State => "putting the state together from its objects".to_owned(),
        Stage::Blocks => format!("block {checked} of {log}, {records} records"),
        Stage::Comparison => format!("comparing the derived store, at block {checked}"),
    }
}

/// In megabytes, with one digit.
pub(super) fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_types::Height;

    #[test]
    fn a_line_says_where_the_check_is_and_how_long_it_takes() {
        let meter = Meter::new();
        let progress = Progress {
            stage: Stage::Blocks,
            checked: Height::new(5),
            log: Height::new(10),
            records: 12,
            bytes: 1_250_000,
            of_bytes: 2_500_000,
        };
        let line = meter.line(&progress);
        assert!(line.starts_with("block 5 of 10, 12 records: 1.2 MB of 2.5 MB, "), "{line}");
        assert!(line.ends_with(" left"), "{line}");
        let line = meter.line(&Progress { stage: Stage::Comparison, ..progress });
        assert_eq!(line, "comparing the derived store, at block 5");
    }
}
