//! Random choices that can be repeated: everything is drawn from one printed seed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The variable that repeats a run.
pub const VARIABLE: &str = "PROBATA_TEST_SEED";

/// A small generator (SplitMix64, Steele, Lea and Flood 2014). Good enough to choose moments.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// From a fixed seed, for what must be the same at every run.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From [`VARIABLE`], or from the clock; also what to print.
    pub fn from_environment() -> (u64, Self) {
        let given = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::from(since.subsec_nanos()) ^ since.as_secs()
        });
        (seed, Self(seed))
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.number() % (most - least + 1)
    }

    /// A place in a list of that length.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.number() % length as u64).expect("less than a length")
    }

    /// True in so many cases of a thousand.
    pub const fn chance(&mut self, of_thousand: u64) -> bool {
        self.number() % 1_000 < of_thousand
    }

    /// One of a list.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.place(list.len())]
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.number().to_be_bytes()[0])
    }

    /// A generator of its own, so that what one thing draws does not change what another one does.
    pub const fn fork(&mut self) -> Self {
        Self(self.number())
    }

    /// A length of time from `least` to `most` milliseconds.
    pub const fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.number() % (most - least + 1))
    }

    /// Puts items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.place(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first two numbers of SplitMix64 from seed 0, as its reference implementation prints them.
        let mut seeded = Seeded(0);
        assert_eq!(seeded.number(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(seeded.number(), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items = [0, 1, 2, 3, 4];
        Seeded(7).shuffle(&mut items);
        items.sort_unstable();
        assert_eq!(items, [0, 1, 2, 3, 4]);
    }
}
