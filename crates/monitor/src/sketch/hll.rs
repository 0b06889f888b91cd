//! Distinct counts: HyperLogLog++ as computed by deequ's `ApproxCountDistinct`, at Spark's default precision.
//!
//! Exact counting is done by `profile`, as long as there are few different values.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::bias::{BIASES, RAW_ESTIMATES};

/// Number of hash bits that choose a register: Spark's value for a relative standard deviation of 0.05.
const PRECISION: u32 = 9;
const REGISTERS: usize = 1 << PRECISION;
/// The largest rank a register can hold: one more than the number of the remaining bits of the hash.
const MAX_RANK: u8 = (u64::BITS - PRECISION + 1) as u8;
/// Up to this estimate, linear counting is more accurate.
const LINEAR_COUNTING: f64 = 400.0;
/// Number of nearest raw estimates over which the bias is averaged.
const NEIGHBOURS: usize = 6;

/// The hash to update a sketch with: Spark's `xxhash64`, which is XXH64 of the text's UTF-8 bytes with seed 42.
#[inline]
pub fn hash(value: &[u8]) -> u64 {
    xxh64(value, 42)
}

/// A sketch of the number of different values, in 512 bytes, with a relative standard error of about 4.6 %.
///
/// Repeated values, and the order of values and of merges, make no difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Hll {
    registers: [u8; REGISTERS],
}

impl Hll {
    /// A sketch without values.
    pub fn new() -> Self {
        Self {
            registers: [0; REGISTERS],
        }
    }

    /// Adds a value by its [`hash`].
    #[inline]
    pub fn update(&mut self, hash: u64) {
        let register = &mut self.registers[(hash >> (u64::BITS - PRECISION)) as usize];
        // The bit after the shifted ones ends the run of zeros at the end of the hash.
        let rest = (hash << PRECISION) | (1 << (PRECISION - 1));
        *register = (*register).max(rest.leading_zeros() as u8 + 1);
    }

    /// Adds everything that another sketch has seen.
    pub fn merge(&mut self, other: &Hll) {
        for (mine, &its) in self.registers.iter_mut().zip(&other.registers) {
            *mine = (*mine).max(its);
        }
    }

    /// Approximate number of different values.
    ///
    /// The rule is deequ's. Spark's own (as of 3.5) uses linear counting up to a raw estimate of 1280, so between about
    /// 400 and 1300 values its `approx_count_distinct` differs by a few percent. One flaw of deequ's is not reproduced:
    /// it shifts in 32 bits, so that a single register beyond 31 ruins the estimate. With a hundred million different
    /// values, that happens to one column in twenty.
    pub fn count(&self) -> u64 {
        let empty = self.registers.iter().filter(|&&rank| rank == 0).count();
        if empty > 0 {
            let estimate = linear_counting(empty);
            if estimate <= LINEAR_COUNTING {
                return estimate.round() as u64;
            }
        }
        let raw = self.raw_estimate();
        let bias = if raw < 5.0 * REGISTERS as f64 { bias(raw) } else { 0.0 };
        (raw - bias).round() as u64
    }

    fn raw_estimate(&self) -> f64 {
        const M: f64 = REGISTERS as f64;
        let alpha = 0.7213 / (1.0 + 1.079 / M);
        // In the order of the registers, in which the reference computes the sum.
        let inverse: f64 = self.registers.iter().map(|&rank| 1.0 / (1_u64 << rank) as f64).sum();
        alpha * M * M / inverse
    }
}

impl Default for Hll {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Hll> for Vec<u8> {
    fn from(sketch: Hll) -> Self {
        sketch.registers.to_vec()
    }
}

impl TryFrom<Vec<u8>> for Hll {
    type Error = &'static str;

    fn try_from(saved: Vec<u8>) -> Result<Self, Self::Error> {
        match <[u8; REGISTERS]>::try_from(saved) {
            Ok(registers) if registers.iter().all(|&rank| rank <= MAX_RANK) => Ok(Self { registers }),
            _ => Err("the saved sketch of distinct values is damaged: it must be 512 numbers up to 56"),
        }
    }
}

/// The estimate from the number of registers that no value has hit.
fn linear_counting(empty: usize) -> f64 {
    REGISTERS as f64 * (REGISTERS as f64 / empty as f64).ln()
}

/// The bias of a raw estimate: the mean of the biases of its nearest neighbours in the table.
fn bias(raw: f64) -> f64 {
    let distance = |i: usize| (raw - RAW_ESTIMATES[i]).powi(2);
    let at = RAW_ESTIMATES.partition_point(|&estimate| estimate < raw);
    let mut low = (at + 1).saturating_sub(NEIGHBOURS);
    let mut high = (low + NEIGHBOURS).min(RAW_ESTIMATES.len());
    while high < RAW_ESTIMATES.len() && distance(high) < distance(low) {
        low += 1;
        high += 1;
    }
    BIASES[low..high].iter().sum::<f64>() / (high - low) as f64
}

/// What Spark 3.5's own `approx_count_distinct` computes from the same registers.
#[cfg(test)]
pub(super) fn count_of_spark(sketch: &Hll) -> u64 {
    let empty = sketch.registers.iter().filter(|&&rank| rank == 0).count();
    let linear = empty > 0 && sketch.raw_estimate() <= 2.5 * REGISTERS as f64;
    if linear {
        linear_counting(empty).round() as u64
    } else {
        sketch.count()
    }
}
