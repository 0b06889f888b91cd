//! Tests that the statistical test keeps its level and has the power to detect a real improvement: simulated with fixed
//! seeds.
//!
//! Prices are lognormal, relative errors have Student's distribution with four degrees of freedom, and two models share
//! most of a row's error, as trees of the same data do.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use rmse_gate::chance::{Differences, LEVEL};

/// The random number generator SplitMix64, and distributions based on it.
struct Dice(u64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) + 0.5) / 4_294_967_296.0
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }

    /// A number with Student's distribution with four degrees of freedom.
    fn heavy(&mut self) -> f64 {
        let squares: f64 = (0..4).map(|_| self.normal().powi(2)).sum();
        self.normal() / (squares / 4.0).sqrt()
    }

    /// The p-value of a candidate whose errors are `scale` times a champion's, on `rows` rows.
    fn p_value(&mut self, rows: usize, scale: f64) -> f64 {
        let mut differences = Differences::default();
        for _ in 0..rows {
            let price = (9.7 + 0.6 * self.normal()).exp();
            let shared = 0.15 * self.heavy();
            let champion = price * (shared + 0.08 * self.heavy());
            let candidate = price * scale * (shared + 0.08 * self.heavy());
            differences.add(champion.powi(2) - candidate.powi(2));
        }
        differences.p_value()
    }

    /// How many of `rounds` candidates win.
    fn wins(&mut self, rounds: usize, rows: usize, scale: f64) -> usize {
        (0..rounds).filter(|_| self.p_value(rows, scale) <= LEVEL).count()
    }
}

#[test]
fn an_equal_candidate_wins_no_oftener_than_the_level_says() {
    for rows in [30, 100, 1_000] {
        let wins = Dice(1).wins(1_000, rows, 1.0);
        // 50 are expected; 68 is two and a half deviations above.
        assert!(wins <= 68, "{rows} rows: {wins} of 1000");
    }
}

#[test]
fn a_worse_candidate_hardly_ever_wins() {
    let wins = Dice(2).wins(1_000, 150, 1.1);
    assert!(wins <= 10, "{wins} of 1000");
}

#[test]
fn an_honest_improvement_is_seen() {
    for (rows, scale, least) in [(150, 0.7, 80), (1_000, 0.9, 75), (1_000, 0.8, 97), (10_000, 0.95, 85)] {
        let wins = Dice(3).wins(100, rows, scale);
        assert!(wins >= least, "{rows} rows, {scale}: {wins} of 100");
    }
}
