//! Sum, mean and standard deviation of a stream of numbers, equal to the reference in every digit.

use serde::{Deserialize, Serialize};

/// The sum from left to right, and Welford's recurrence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Number of values.
    pub count: u64,
    /// Sum of the values.
    #[serde(with = "any")]
    pub sum: f64,
    /// Welford's running mean. It differs from `mean()`, which is the sum divided by the count.
    #[serde(with = "any")]
    average: f64,
    /// Sum of the squared differences from the mean.
    #[serde(with = "any")]
    squares: f64,
    /// Smallest value; +∞ if there are none.
    #[serde(with = "any")]
    pub min: f64,
    /// Largest value; −∞ if there are none.
    #[serde(with = "any")]
    pub max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            average: 0.0,
            squares: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Moments {
    /// Adds a number.
    #[inline(always)]
    pub fn push(&mut self, x: f64) {
        self.count += 1;
        self.sum += x;
        let delta = x - self.average;
        let step = delta / self.count as f64;
        self.average += step;
        self.squares += delta * (delta - step);
        self.min = if x < self.min { x } else { self.min };
        self.max = if x > self.max { x } else { self.max };
    }

    /// Adds the numbers of `other`; the result is that of adding them one by one, up to rounding.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let total = n + m;
        let delta = other.average - self.average;
        let part = if total == 0.0 { 0.0 } else { delta / total };
        self.count += other.count;
        self.sum += other.sum;
        self.average += part * m;
        self.squares += other.squares + delta * part * n * m;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Arithmetic mean; NaN if there are no numbers.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// Population standard deviation; NaN if there are no numbers.
    pub fn std_dev(&self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }
}

/// JSON has neither infinities nor NaN, so they are written as strings. Numbers beyond doubles, such as `1e400`, lead
/// to both.
mod any {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Number {
        Finite(f64),
        Other(String),
    }

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            Number::Finite(*value)
        } else {
            Number::Other(value.to_string())
        }
        .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Number::deserialize(deserializer)? {
            Number::Finite(value) => Ok(value),
            Number::Other(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_spark_to_the_last_digit() {
        let golden: serde_json::Value = serde_json::from_str(include_str!("../../tests/sketch/moments.json")).unwrap();
        let mix = |i: u64| {
            let z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        let unit = |i: u64| (mix(i) >> 11) as f64 / (1u64 << 53) as f64;
        let mut compared = 0;
        for series in golden["series"].as_array().unwrap() {
            let name = series["name"].as_str().unwrap();
            let mut moments = Moments::default();
            for i in 1..=series["count"].as_u64().unwrap() {
                moments.push(match name {
                    "unit" => unit(i),
                    "wide" => (unit(i) - 0.5) * 2_000_000.0 + 18_463_239.0,
                    "money" => (mix(i) % 100_000) as f64 / 100.0,
                    "cancelling" => 1_000_000_000.0 + unit(i),
                    "whole" => (mix(i) % 7) as f64 - 3.0,
                    other => panic!("no rule for {other}"),
                });
            }
            assert_eq!(moments.sum, series["sum"].as_f64().unwrap(), "{name}");
            assert_eq!(moments.mean(), series["avg"].as_f64().unwrap(), "{name}");
            assert_eq!(moments.std_dev(), series["stddev_pop"].as_f64().unwrap(), "{name}");
            compared += 1;
        }
        assert_eq!(compared, 15);
    }

    #[test]
    fn parts_merge_as_the_reference_merges_them() {
        // The facts describe a run over two partitions in which merging the second with the first gives the figures.
        let (mut first, mut second) = (Moments::default(), Moments::default());
        (1..=300).for_each(|i| first.push(f64::from(i) * 1.1));
        (301..=1009).for_each(|i| second.push(f64::from(i) * 1.1));
        let mut all = Moments::default();
        (1..=1009).for_each(|i| all.push(f64::from(i) * 1.1));
        second.merge(&first);
        assert!((second.std_dev() - all.std_dev()).abs() <= 1e-12 * all.std_dev());
        assert_eq!((second.count, second.min, second.max), (1009, 1.1, 1009.0 * 1.1));
        let before = second;
        second.merge(&Moments::default());
        assert_eq!(second, before);
    }
}
