//! tmp
use serde::{Deserialize, Serialize};
/// t
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Kll {
    levels: Vec<Vec<f64>>,
    size: usize,
    max: usize,
    parity: Vec<bool>,
}
impl Kll {
    /// t
    pub fn update_all(&mut self, v: &[f64]) {
        for &x in v {
            self.update(x);
        }
    }
    fn cap(&self, i: usize) -> usize {
        let h = self.levels.len() - i - 1;
        2 * ((2048.0 * 0.64f64.powi(h as i32) / 2.0).ceil() as usize + 1)
    }
    /// t
    pub fn update(&mut self, x: f64) {
        if self.levels.is_empty() {
            self.levels.push(vec![]);
            self.parity.push(false);
            self.max = self.cap(0);
        }
        self.levels[0].push(x);
        self.size += 1;
        if self.size > self.max {
            self.condense();
        }
    }
    fn condense(&mut self) {
        for i in 0..self.levels.len() {
            if self.levels[i].len() >= self.cap(i) {
                if i + 1 == self.levels.len() {
                    self.levels.push(vec![]);
                    self.parity.push(false);
                    self.max = (0..self.levels.len()).map(|i| self.cap(i)).sum();
                }
                let (a, b) = self.levels.split_at_mut(i + 1);
                let l = &mut a[i];
                let odd = if l.len() % 2 == 1 { l.pop() } else { None };
                l.sort_by(f64::total_cmp);
                b[0].extend(l.iter().skip(usize::from(self.parity[i])).step_by(2));
                self.parity[i] ^= true;
                l.clear();
                l.extend(odd);
                self.size = self.levels.iter().map(Vec::len).sum();
                return;
            }
        }
    }
    /// t
    pub fn merge(&mut self, o: &Self) {
        while self.levels.len() < o.levels.len() {
            self.levels.push(vec![]);
            self.parity.push(false);
        }
        if self.levels.is_empty() {
            return;
        }
        self.max = (0..self.levels.len()).map(|i| self.cap(i)).sum();
        for (a, b) in self.levels.iter_mut().zip(&o.levels) {
            a.extend_from_slice(b);
        }
        self.size = self.levels.iter().map(Vec::len).sum();
        while self.size > self.max {
            self.condense();
        }
    }
    /// t
    pub fn levels(&self) -> &[Vec<f64>] {
        &self.levels
    }
    /// t
    pub fn buckets(&self, _a: f64, _b: f64) -> Vec<crate::documents::statistics::Bucket> {
        vec![]
    }
}
