//! The spread of a metric: its standard deviation over random samples of the rows.
//!
//! The contract samples at random. Here, a hash of the row's number with a constant seed decides whether the row
//! belongs to a sample, so that the same data always gives the same file.

use xxhash_rust::xxh64::xxh64;

/// Number of samples.
pub const SAMPLES: usize = 5;

/// Minimum number of rows: with fewer, the contract gives no standard deviation.
pub const MINIMUM_ROWS: u64 = 200;

/// Any constant will do; a different one gives different deviations.
const SEED: u64 = 0x6472_6976_6574_7261;

/// Which of the samples contain the row: each contains four of five rows, independently of the others.
///
/// `row` is any number that stays the same for this row, such as its position in the data.
pub fn samples_with(row: u64) -> [bool; SAMPLES] {
    // The last digits to base 5 of one hash are as good as five hashes, at a fifth of the cost.
    let mut digits = xxh64(&row.to_le_bytes(), SEED);
    std::array::from_fn(|_| {
        let digit = digits % 5;
        digits /= 5;
        digit != 0
    })
}

/// The standard deviation of a metric over the samples (n − 1 in the denominator); NaN below [`MINIMUM_ROWS`] rows, or
/// if a sample has no value.
pub fn standard_deviation(rows: u64, values: [f64; SAMPLES]) -> f64 {
    if rows < MINIMUM_ROWS {
        return f64::NAN;
    }
    let mean = values.iter().sum::<f64>() / SAMPLES as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (SAMPLES - 1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_holds_four_of_five_rows_and_no_two_are_alike() {
        let mut held = [0_u32; SAMPLES];
        let mut both = 0_u32;
        for row in 0..100_000 {
            let samples = samples_with(row);
            for (count, is_in) in held.iter_mut().zip(samples) {
                *count += u32::from(is_in);
            }
            both += u32::from(samples[0] && samples[1]);
        }
        assert!(held.iter().all(|count| (79_000..81_000).contains(count)), "{held:?}");
        assert!((63_000..65_000).contains(&both), "{both}");
    }

    #[test]
    fn there_is_no_deviation_of_few_rows() {
        assert!(standard_deviation(199, [1.0, 2.0, 3.0, 4.0, 5.0]).is_nan());
        assert_eq!(standard_deviation(200, [1.0, 2.0, 3.0, 4.0, 5.0]), 2.5_f64.sqrt());
        assert!(standard_deviation(200, [1.0, f64::NAN, 3.0, 4.0, 5.0]).is_nan());
    }
}
