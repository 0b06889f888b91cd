//! Sum, mean and standard deviation of a stream of numbers, to the digit of the reference.

use serde::{Deserialize, Serialize};

/// Sum from left to right, and Welford's recurrence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Numbers seen.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Welford's running mean. `mean()` is another one: the sum over the count.
    average: f64,
    /// The sum of squared differences from the mean.
    squares: f64,
    /// The smallest; +∞ without numbers.
    #[serde(with = "extreme")]
    pub min: f64,
    /// The largest; −∞ without numbers.
    #[serde(with = "extreme")]
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
    /// One more number.
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

    /// What `self` would be after the numbers of `other`, up to rounding.
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

    /// Arithmetic mean; NaN without numbers.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// Of the population; NaN without numbers.
    pub fn std_dev(&self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }
}

/// JSON has no infinities: they are strings.
pub(crate) mod extreme {
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
