//! The machine that is measured on, in the figures that decide how fast it can be.

use super::timeline::{histogram, quantile_ms};
use crate::{figures::per_second, trouble::Trouble};
use probata_types::{
    Hash, Keypair,
    key::{self, Signed},
};
use std::{
    fs,
    hint::black_box,
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

/// How long each rate is measured.
const MEASURED: Duration = Duration::from_millis(500);
/// Signatures that are verified together.
const BATCH: usize = 256;
/// Appends that are synced, and bytes of each.
const SYNCS: u32 = 200;
const APPENDED: [u8; 4_096] = [0x5a; 4_096];

/// What it says of itself and what was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hardware {
    /// Its processor.
    model: String,
    cores: usize,
    memory_gib: u64,
    /// Signatures a second on one core.
    signs: u64,
    /// Verifications a second on one core, one by one.
    verifies: u64,
    /// The same of [`BATCH`] together.
    verifies_together: u64,
    /// Milliseconds of an fdatasync after an append of 4 KiB, half of them at most.
    sync_ms: f64,
}

impl Hardware {
    /// Measures the machine, in a few seconds.
    ///
    /// # Errors
    /// [`Trouble`] if the system does not tell, or a file cannot be written.
    pub(super) fn measure() -> Result<Self, Trouble> {
        let (pair, digest) = (Keypair::from_secret(&[7; 32]), Hash([9; 32]));
        let one = Signed { key: pair.public(), digest, signature: pair.sign(&digest) };
        let batch = vec![one; BATCH];
        let memory = of_file(&fs::read_to_string("/proc/meminfo")?, "MemTotal");
        let kib = memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok());
        Ok(Self {
            model: of_file(&fs::read_to_string("/proc/cpuinfo")?, "model name"),
            cores: thread::available_parallelism()?.get(),
            memory_gib: kib.unwrap_or_default().div_ceil(1 << 20),
            signs: rate(|| _ = black_box(pair.sign(&digest))),
            verifies: rate(|| {
                key::verify(&pair.public(), &digest, &batch[0].signature).expect(GOOD)
            }),
            verifies_together: BATCH as u64 * rate(|| key::verify_batch(&batch).expect(GOOD)),
            sync_ms: sync_ms()?,
        })
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let Self { model, cores, memory_gib, signs, verifies, verifies_together, sync_ms } = self;
        format!(
            "Machine: {cores} cores of {model}, {memory_gib} GiB; on one core {signs} signatures a second, {verifies} \
             verifications one by one and {verifies_together} of {BATCH} together; an fdatasync of 4 KiB takes \
             {sync_ms:.2} ms (the median of {SYNCS})."
        )
    }
}

const GOOD: &str = "it was signed just now";

/// What a file of `name : value` lines says of a name.
fn of_file(text: &str, name: &str) -> String {
    let value = |line: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    text.lines().find_map(value).unwrap_or_else(|| "unknown".to_owned())
}

/// How often something can be done in a second.
fn rate(mut what: impl FnMut()) -> u64 {
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < MEASURED {
        what();
        count += 1;
    }
    per_second(count, start.elapsed())
}

fn sync_ms() -> Result<f64, Trouble> {
    let mut file = tempfile::tempfile()?;
    let mut times = histogram();
    for _ in 0..SYNCS {
        file.write_all(&APPENDED)?;
        let start = Instant::now();
        file.sync_data()?;
        times.record(super::timeline::micros(start.elapsed()))?;
    }
    Ok(quantile_ms(&times, 500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let text = "model\t: 1\nmodel name\t: A B-3 (C)\nmodel name\t: D\n";
        assert_eq!(of_file(text, "model name"), "A B-3 (C)");
        assert_eq!(of_file(text, "name"), "unknown");
    }

    #[test]
    fn the_line_says_what_was_measured() {
        let hardware = Hardware {
            model: "X".to_owned(),
            cores: 2,
            memory_gib: 24,
            signs: 50_000,
            verifies: 20_000,
            verifies_together: 60_000,
            sync_ms: 0.163,
        };
        let line = hardware.line();
        assert!(
            line.starts_with("Machine: 2 cores of X, 24 GiB; on one core 50000 signatures"),
            "{line}"
        );
        assert!(
            line.ends_with(
                "60000 of 256 together; an fdatasync of 4 KiB takes 0.16 ms (the median of 200)."
            ),
            "{line}"
        );
    }
}
