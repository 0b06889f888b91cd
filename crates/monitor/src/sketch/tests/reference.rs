//! The reference's rules in a plain implementation: slow, and as close to their wording as possible.

#[derive(Default)]
struct Level {
    items: Vec<f64>,
    compactions: u32,
    offset: usize,
}

pub(super) struct Sketch {
    levels: Vec<Level>,
}

pub(super) fn capacity(height: usize) -> usize {
    2 * ((2048.0 * 0.64_f64.powf(height as f64) / 2.0).ceil() as usize + 1)
}

impl Sketch {
    pub(super) fn new() -> Self {
        Self {
            levels: vec![Level::default()],
        }
    }

    pub(super) fn update(&mut self, value: f64) {
        self.levels[0].items.push(value);
        if self.size() > self.room() {
            self.condense();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        while self.levels.len() < other.levels.len() {
            self.levels.push(Level::default());
        }
        for (height, level) in other.levels.iter().enumerate() {
            self.levels[height].items.extend(&level.items);
        }
        while self.size() >= self.room() {
            self.condense();
        }
    }

    pub(super) fn items(&self) -> Vec<Vec<f64>> {
        self.levels.iter().map(|level| level.items.clone()).collect()
    }

    /// Maximum error of ranks due to this sketch's own compactions.
    pub(super) fn error(&self) -> u64 {
        self.levels
            .iter()
            .enumerate()
            .map(|(height, level)| u64::from(level.compactions) << height)
            .sum()
    }

    fn size(&self) -> usize {
        self.levels.iter().map(|level| level.items.len()).sum()
    }

    fn room(&self) -> usize {
        (0..self.levels.len()).map(capacity).sum()
    }

    fn condense(&mut self) {
        for height in 0..self.levels.len() {
            if self.levels[height].items.len() < capacity(height) {
                continue;
            }
            if height + 1 == self.levels.len() {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[height];
            if level.compactions % 2 == 1 {
                level.offset = 1 - level.offset;
            }
            level.compactions += 1;
            let odd = if level.items.len() % 2 == 1 {
                level.items.pop()
            } else {
                None
            };
            level.items.sort_by(f64::total_cmp);
            let up: Vec<f64> = level.items.iter().skip(level.offset).step_by(2).copied().collect();
            level.items = odd.into_iter().collect();
            self.levels[height + 1].items.extend(up);
            break;
        }
    }
}
