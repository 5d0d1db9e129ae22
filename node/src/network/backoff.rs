//! Wait longer after each failure, and not all together.

use std::time::Duration;

use crate::limits::mesh::{BACKOFF_MAX, BACKOFF_MIN};

/// The wait before the next try: doubles from `BACKOFF_MIN` to `BACKOFF_MAX`, each time shortened
/// by up to half at random, so that nodes that lost each other together do not return together.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    /// A first wait of `BACKOFF_MIN`.
    pub(crate) fn new() -> Self {
        Self { next: BACKOFF_MIN }
    }

    /// What was tried held: start again from the first wait.
    pub(crate) fn reset(&mut self) {
        self.next = BACKOFF_MIN;
    }

    /// How long to wait now.
    pub(crate) fn wait(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(BACKOFF_MAX);
        let mut byte = [0u8; 1];
        // Without randomness the wait is merely not spread.
        if getrandom::fill(&mut byte).is_err() {
            return full;
        }
        full - (full / 2) * u32::from(byte[0]) / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_bound_and_start_again() {
        let mut backoff = Backoff::new();
        let mut full = BACKOFF_MIN;
        for _ in 0..12 {
            let wait = backoff.wait();
            assert!(wait <= full && wait >= full / 2, "{wait:?} for {full:?}");
            full = (full * 2).min(BACKOFF_MAX);
        }
        assert_eq!(full, BACKOFF_MAX);
        backoff.reset();
        assert!(backoff.wait() <= BACKOFF_MIN);
    }
}
