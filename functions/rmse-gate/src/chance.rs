//! Could it be chance? A paired test of the squared errors of two models on the same rows.
//!
//! It is a one-sided Student's t-test on the differences, the champion's less the candidate's. Of the tests that were
//! tried on errors like those of used-car prices (lognormal prices, heavy-tailed relative errors), it is the one that
//! keeps its level from 20 rows on if both models are equally good; the bootstrap-t and Hall's correction for skewness
//! replace an equal champion twice as often as they claim. Tests on ranks or signs ask a different question: a
//! candidate that is a little better on most rows and very wrong on a few would win. `docs/gate.md` has the numbers.

/// The accepted probability of replacing a champion by a candidate that is no better.
pub const LEVEL: f64 = 0.05;

/// The number of steps of the numerical integration.
const STEPS: u32 = 2_000;
/// Beyond this many standard deviations nothing is left to integrate.
const REACH: f64 = 40.0;

/// Differences, summarised as they are added: number, mean, sum of squares around the mean (Welford's recurrence).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Differences {
    /// Adds a difference.
    pub fn add(&mut self, difference: f64) {
        self.count += 1;
        let from_mean = difference - self.mean;
        self.mean += from_mean / float(self.count);
        self.squares += from_mean * (difference - self.mean);
    }

    /// The probability that the mean is at least this far above zero if it is truly zero. Fewer than two differences
    /// prove nothing: 1.
    pub fn p_value(&self) -> f64 {
        if self.count < 2 || !self.mean.is_finite() {
            return 1.0;
        }
        let freedom = float(self.count - 1);
        let error = (self.squares / freedom / float(self.count)).sqrt();
        if error > 0.0 {
            upper_tail(self.mean / error, freedom)
        } else {
            // All differences are equal.
            f64::from(u8::from(self.mean <= 0.0))
        }
    }
}

/// The probability that a variable with Student's distribution exceeds `t`: the integral of cos^(freedom-1) from atan(t
/// / √freedom) on, divided by the integral over the whole range, by Simpson's rule.
fn upper_tail(t: f64, freedom: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - upper_tail(-t, freedom);
    }
    let end = (REACH / freedom.sqrt()).min(std::f64::consts::FRAC_PI_2);
    let from = (t / freedom.sqrt()).atan();
    if from >= end {
        return 0.0;
    }
    let density = |angle: f64| ((freedom - 1.0) * angle.cos().max(0.0).ln()).exp();
    // cos^0 is 1 where the logarithm is not finite.
    let density = |angle: f64| if freedom > 1.0 { density(angle) } else { 1.0 };
    (integral(density, from, end) / (2.0 * integral(density, 0.0, end))).clamp(0.0, 1.0)
}

fn integral(of: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let width = (to - from) / f64::from(STEPS);
    let inner: f64 = (1..STEPS)
        .map(|step| of(from + width * f64::from(step)) * if step % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    (of(from) + inner + of(to)) * width / 3.0
}

/// Exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        for (t, freedom, tail) in [
            (0.0, 7.0, 0.5),
            (1.0, 1.0, 0.25),
            (6.313_752, 1.0, 0.05),
            (2.919_986, 2.0, 0.05),
            (1.697_261, 30.0, 0.05),
            (2.364_217, 100.0, 0.01),
            (1.644_854, 1e8, 0.05),
            (-1.697_261, 30.0, 0.95),
        ] {
            let found = upper_tail(t, freedom);
            assert!((found - tail).abs() < 1e-6, "{t} {freedom}: {found}");
        }
        assert!(upper_tail(100.0, 5_000.0) < 1e-12);
    }

    #[test]
    fn what_does_not_vary_is_no_chance_and_too_little_is() {
        let of = |differences: &[f64]| {
            let mut all = Differences::default();
            differences.iter().for_each(|it| all.add(*it));
            all.p_value()
        };
        assert_eq!(of(&[]), 1.0);
        assert_eq!(of(&[5.0]), 1.0);
        assert_eq!(of(&[5.0, 5.0]), 0.0);
        assert_eq!(of(&[0.0, 0.0]), 1.0);
        assert_eq!(of(&[-5.0, -5.0]), 1.0);
        assert_eq!(of(&[f64::INFINITY, 1.0]), 1.0);
        // Calculated by hand: mean 2, deviation 1, three values, so t is 2·√3 with two degrees of freedom.
        assert!((of(&[1.0, 2.0, 3.0]) - 0.037_09).abs() < 1e-5);
    }
}
