//! Tables with known distributions, in the form in which an analyzer describes them.

use crate::documents::statistics::{Category, Detail, Feature, InferredType, Numeric, Statistics, Text};
use crate::profile::{ColumnFacts, TypeCounts};

/// SplitMix64, and values derived from it.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// One of `count` values with shares proportional to 1/rank, by inverting the continuous distribution.
    pub fn skewed(&mut self, count: f64) -> u64 {
        count.powf(self.uniform()) as u64
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }
}

/// A numeric or text column; `None` is a missing value.
#[derive(Clone)]
pub enum Column {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
}

pub type Table = Vec<(&'static str, Column)>;

/// Used cars: prices with outliers of billions, skewed categories with up to 5,000 different values, 5 % missing.
pub fn cars(rows: usize, random: &mut Random) -> Table {
    let column = |make: &mut dyn FnMut() -> f64| Column::Numbers((0..rows).map(|_| Some(make())).collect());
    let texts =
        |make: &mut dyn FnMut() -> u64| Column::Texts((0..rows).map(|_| Some(format!("v{}", make()))).collect());
    let mut table: Table = vec![
        ("price", {
            column(&mut || {
                let price = (9.4 + 0.8 * random.normal()).exp().round();
                if random.chance(0.001) {
                    (3e9 * random.uniform()).round()
                } else {
                    price
                }
            })
        }),
        ("year", column(&mut || (2021.0 - (8.0 * random.normal()).abs()).round())),
        (
            "odometer",
            column(&mut || {
                if random.chance(0.03) {
                    0.0
                } else {
                    (11.2 + 0.7 * random.normal()).exp()
                }
            }),
        ),
        (
            "cylinders",
            column(&mut || [4.0, 6.0, 8.0][(random.next() % 3) as usize]),
        ),
        ("electric", column(&mut || f64::from(u8::from(random.chance(0.02))))),
        ("lat", column(&mut || 38.0 + 6.0 * random.normal())),
        ("score", column(&mut || random.uniform().powi(3))),
        ("fuel", texts(&mut || random.skewed(6.0))),
        ("manufacturer", texts(&mut || random.skewed(45.0))),
        ("state", texts(&mut || random.next() % 51)),
        ("region", texts(&mut || random.skewed(115.0))),
        ("model", texts(&mut || random.skewed(5000.0))),
    ];
    for (_, column) in &mut table {
        punch(column, 0.05, random);
    }
    table
}

/// Removes a share of the values.
pub fn punch(column: &mut Column, share: f64, random: &mut Random) {
    match column {
        Column::Numbers(values) => values
            .iter_mut()
            .filter(|_| random.chance(share))
            .for_each(|value| *value = None),
        Column::Texts(values) => values
            .iter_mut()
            .filter(|_| random.chance(share))
            .for_each(|value| *value = None),
    }
}

pub fn rows_of(column: &Column) -> usize {
    match column {
        Column::Numbers(values) => values.len(),
        Column::Texts(values) => values.len(),
    }
}

pub fn shuffle_apart(table: &Table, random: &mut Random) -> (Table, Table) {
    let mut order: Vec<usize> = (0..rows_of(&table[0].1)).collect();
    for index in (1..order.len()).rev() {
        order.swap(index, (random.next() % (index as u64 + 1)) as usize);
    }
    let half = |rows: &[usize]| {
        let pick = |column: &Column| match column {
            Column::Numbers(values) => Column::Numbers(rows.iter().map(|row| values[*row]).collect()),
            Column::Texts(values) => Column::Texts(rows.iter().map(|row| values[*row].clone()).collect()),
        };
        table.iter().map(|(name, column)| (*name, pick(column))).collect()
    };
    let middle = order.len() / 2;
    (half(&order[..middle]), half(&order[middle..]))
}

/// The contract's sketch, implemented by its rules without regard to speed.
pub fn sketch(values: &[f64]) -> Vec<Vec<f64>> {
    let mut levels: Vec<(Vec<f64>, u32, usize)> = vec![(Vec::new(), 0, 0)];
    for value in values {
        levels[0].0.push(*value);
        loop {
            let height = levels.len();
            let capacity = |level: usize| {
                let depth = (height - 1 - level) as i32;
                2 * ((2048.0 * 0.64_f64.powi(depth) / 2.0).ceil() as usize + 1)
            };
            let held: usize = levels.iter().map(|level| level.0.len()).sum();
            if held <= (0..height).map(capacity).sum() {
                break;
            }
            let Some(level) = (0..height).find(|level| levels[*level].0.len() >= capacity(*level)) else {
                break;
            };
            if level + 1 == height {
                levels.push((Vec::new(), 0, 0));
            }
            let (items, compactions, offset) = &mut levels[level];
            *offset = if *compactions % 2 == 1 { 1 - *offset } else { 0 };
            *compactions += 1;
            let even = items.len() / 2 * 2;
            let mut condensed: Vec<f64> = items.drain(..even).collect();
            condensed.sort_by(f64::total_cmp);
            let kept: Vec<f64> = condensed.into_iter().skip(*offset).step_by(2).collect();
            levels[level + 1].0.extend(kept);
        }
    }
    levels.into_iter().map(|level| level.0).collect()
}

pub fn numeric(values: &[f64]) -> Numeric {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    Numeric {
        mean,
        sum: values.iter().sum(),
        std_dev: (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt(),
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        buckets: Vec::new(),
        levels: sketch(values),
    }
}

/// A column in the form in which an analyzer describes it.
pub fn feature(name: &str, column: &Column) -> (Feature, ColumnFacts) {
    let (rows, present, inferred_type, detail, types);
    match column {
        Column::Numbers(all) => {
            let values: Vec<f64> = all.iter().flatten().copied().collect();
            rows = all.len();
            present = values.len();
            let whole = values.iter().filter(|value| value.fract() == 0.0).count();
            inferred_type = if whole == present {
                InferredType::Integral
            } else {
                InferredType::Fractional
            };
            types = TypeCounts {
                integral: whole as u64,
                fractional: (present - whole) as u64,
                ..TypeCounts::default()
            };
            detail = Detail::Numeric(numeric(&values));
        }
        Column::Texts(all) => {
            let mut counts: std::collections::BTreeMap<&str, u64> = Default::default();
            all.iter()
                .flatten()
                .for_each(|value| *counts.entry(value).or_default() += 1);
            rows = all.len();
            present = all.iter().flatten().count();
            inferred_type = InferredType::String;
            types = TypeCounts {
                text: present as u64,
                ..TypeCounts::default()
            };
            let mut categories: Vec<Category> = counts
                .iter()
                .map(|(value, count)| Category {
                    value: (*value).to_owned(),
                    count: *count,
                })
                .collect();
            categories.sort_by_key(|category| std::cmp::Reverse(category.count));
            let categories = Some(categories).filter(|categories| categories.len() <= 120);
            detail = Detail::Text(Text {
                distinct_count: counts.len() as u64,
                categories,
            });
        }
    }
    let (present, missing) = (present as u64, (rows - present) as u64);
    let facts = ColumnFacts {
        name: name.to_owned(),
        types,
        in_domain: None,
        numbers: None,
    };
    (
        Feature {
            name: name.to_owned(),
            inferred_type,
            present,
            missing,
            detail,
        },
        facts,
    )
}

pub fn describe(table: &Table) -> (Statistics, Vec<ColumnFacts>) {
    let (features, facts) = table.iter().map(|(name, column)| feature(name, column)).unzip();
    (
        Statistics {
            rows: table.first().map_or(0, |(_, column)| rows_of(column)) as u64,
            features,
        },
        facts,
    )
}

pub fn column<'a>(table: &'a mut Table, name: &str) -> &'a mut Column {
    &mut table.iter_mut().find(|column| column.0 == name).unwrap().1
}

pub fn numbers_of<'a>(table: &'a mut Table, name: &str) -> &'a mut Vec<Option<f64>> {
    match column(table, name) {
        Column::Numbers(values) => values,
        Column::Texts(_) => panic!("{name} holds texts"),
    }
}
