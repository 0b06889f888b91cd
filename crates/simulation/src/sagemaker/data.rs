//! The world that files describe, and what models learn about it.

use serde::{Deserialize, Serialize};

/// The price of a car, by its row `year,odometer,model`.
pub fn base_price(row: &str) -> f64 {
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let number = |at: usize, missing: f64| fields.get(at).and_then(|it| it.parse().ok()).unwrap_or(missing);
    let make = match fields.get(2) {
        Some(&"bmw") => 5_000.0,
        Some(&"ford") => 1_500.0,
        _ => 0.0,
    };
    2_000.0 + 1_000.0 * (number(0, 2_010.0) - 2_000.0) - 0.03 * number(1, 60_000.0) + make
}

/// A 64-bit hash of a text, the same in every run.
pub fn hash(text: &str) -> u64 {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // FNV by itself mixes the upper bits badly.
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// An approximately standard normal number, determined by a text.
pub fn normal(text: &str) -> f64 {
    let bits = hash(text);
    let sum: f64 = (0..4)
        .map(|part| f64::from((bits >> (16 * part)) as u16) / f64::from(u16::MAX))
        .sum();
    (sum - 2.0) * 3.0_f64.sqrt()
}

/// What training makes: a model that has learned the level of prices, never predicts beyond the prices that it has
/// seen, and has a random error.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Artifact {
    /// The level of prices, relative to [`base_price`].
    pub scale: f64,
    pub low: f64,
    pub high: f64,
    /// The size of the random error, in the target's unit.
    pub noise: f64,
    /// The seed of the random error.
    pub seed: String,
}

impl Artifact {
    /// Learns from rows `label,year,odometer,model`.
    pub fn learn(rows: &[(f64, String)], noise: f64, seed: &str) -> Self {
        let count = rows.len() as f64;
        let bases: f64 = rows.iter().map(|(_, row)| base_price(row)).sum();
        let labels: f64 = rows.iter().map(|(label, _)| label).sum();
        Self {
            scale: labels / bases,
            low: rows.iter().map(|(label, _)| *label).fold(f64::INFINITY, f64::min),
            high: rows.iter().map(|(label, _)| *label).fold(f64::NEG_INFINITY, f64::max),
            // Fewer rows teach less.
            noise: noise * (1.0 + 5.0 / count.sqrt()),
            seed: seed.to_owned(),
        }
    }

    /// The prediction for a row of raw columns.
    pub fn predict(&self, row: &str) -> f64 {
        let known = (self.scale * base_price(row)).clamp(self.low, self.high);
        known + self.noise * normal(&format!("{}{row}", self.seed))
    }

    /// The root mean square error over labelled rows.
    pub fn rmse(&self, rows: &[(f64, String)]) -> f64 {
        let squares: f64 = rows
            .iter()
            .map(|(label, row)| (self.predict(row) - label).powi(2))
            .sum();
        (squares / rows.len() as f64).sqrt()
    }
}
