//! tmp
use serde::{Deserialize, Serialize};
/// t
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hll {
    registers: Vec<u8>,
}
impl Default for Hll {
    fn default() -> Self {
        Self::new()
    }
}
impl Hll {
    /// t
    pub fn new() -> Self {
        Self {
            registers: vec![0; 512],
        }
    }
    /// t
    #[inline(always)]
    pub fn update(&mut self, hash: u64) {
        let i = (hash >> 55) as usize;
        let w = ((hash << 9) | 256).leading_zeros() as u8 + 1;
        if let Some(r) = self.registers.get_mut(i) {
            if *r < w {
                *r = w;
            }
        }
    }
    /// t
    pub fn merge(&mut self, o: &Self) {
        for (a, b) in self.registers.iter_mut().zip(&o.registers) {
            *a = (*a).max(*b);
        }
    }
    /// t
    pub fn count(&self) -> u64 {
        let v = self.registers.iter().filter(|i| **i == 0).count();
        if v > 0 {
            (512.0 * (512.0 / v as f64).ln()).round() as u64
        } else {
            5000
        }
    }
}
/// t
#[inline(always)]
pub fn hash(v: &[u8]) -> u64 {
    xxhash_rust::xxh64::xxh64(v, 42)
}
