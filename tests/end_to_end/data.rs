//! Made-up cars: the same for the same number, whoever asks and wherever.
//!
//! A price follows from year, mileage and fuel, and a little chance. The first rows of a longer list are those of a
//! shorter one, so that a model of few rows is worse than one of many on the rows that neither has seen.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// The columns of the documents in `documents/`, and their target.
pub const HEADER: &str = "year,mileage_km,fuel,color,price";

const FUELS: [&str; 3] = ["petrol", "diesel", "electric"];
const COLORS: [&str; 3] = ["black", "white", "red"];

/// A CSV file of the first `count` cars.
pub fn cars(count: usize) -> String {
    let mut csv = format!("{HEADER}\n");
    let mut chance = Chance(20_261_122);
    for _ in 0..count {
        let age = chance.below(30);
        let mileage_km = age * 9_000 + chance.below(20_000);
        let (fuel, color) = (chance.below(3), chance.below(3));
        let noise = chance.below(2_000) as f64 - 1_000.0;
        let worn = (mileage_km as f64 / 1_000.0).sqrt() * 300.0;
        let price = 2_000.0 + 38_000.0 * 0.88_f64.powi(age as i32) + 2_500.0 * fuel as f64 - worn + noise;
        let (year, fuel, color) = (2025 - age, FUELS[fuel], COLORS[color]);
        writeln!(csv, "{year},{mileage_km},{fuel},{color},{:.0}", price.max(500.0)).unwrap();
    }
    csv
}

/// The rows `from..to` of that list as instances, and their prices.
pub fn instances(from: usize, to: usize) -> Vec<(Value, f64)> {
    let csv = cars(to);
    let rows = csv.lines().skip(1 + from);
    rows.map(|row| {
        let fields: Vec<&str> = row.split(',').collect();
        let number = |at: usize| fields[at].parse::<f64>().unwrap();
        let instance = json!({
            "year": fields[0].parse::<i64>().unwrap(), "mileage_km": number(1), "fuel": fields[2], "color": fields[3],
        });
        (instance, number(4))
    })
    .collect()
}

/// An instance that every document of `documents/` takes.
pub fn car() -> Value {
    json!({"year": 2017, "mileage_km": 80500.5, "fuel": "diesel", "color": "red"})
}

/// SplitMix64: a few lines, and the same numbers everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}
