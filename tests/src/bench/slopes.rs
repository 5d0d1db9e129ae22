//! Whether anything grows: the first third of a run against the last.

use serde::Serialize;

/// How something was in the first third of a run, and in the last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Slope {
    /// Mean of the first third.
    pub(super) first: f64,
    /// Mean of the last third.
    pub(super) last: f64,
    /// The last by the first.
    pub(super) ratio: f64,
}

impl Slope {
    /// Of values in the order of time; none of fewer than three.
    #[expect(clippy::float_arithmetic, reason = "figures for people: nothing is decided by them")]
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let third = values.len() / 3;
        let (first, last) = (mean(&values[..third])?, mean(&values[values.len() - third..])?);
        Some(Self { first, last, ratio: last / first.max(f64::MIN_POSITIVE) })
    }
}

/// The mean; none of nothing.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a figure for people: nothing is decided by it"
)]
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_third_is_compared_with_the_last() {
        let slope = Slope::of(&[1.0, 3.0, 100.0, 100.0, 100.0, 4.0, 4.0]).unwrap();
        assert_eq!(slope, Slope { first: 2.0, last: 4.0, ratio: 2.0 });
        assert_eq!(Slope::of(&[5.0; 9]).unwrap().ratio.to_string(), "1");
        assert_eq!(Slope::of(&[1.0, 2.0]), None);
        assert_eq!(mean(&[]), None);
    }
}
