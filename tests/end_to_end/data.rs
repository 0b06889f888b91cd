//! Made-up cars: the same number always gives the same car.
//!
//! A price depends on year, mileage and fuel, and a little chance. A longer list begins with the rows of a shorter one,
//! so that a model of few rows is worse than one of many on rows that neither has seen.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// The columns of the documents in `documents/`, and their target.
pub const HEADER: &str = "year,mileage_km,fuel,color,price";

const FUELS: [&str; 3] = ["petrol", "diesel", "electric"];
const COLORS: [&str; 3] = ["black", "white", "red"];

/// A CSV file of the first `count` cars.
pub fn cars(count: usize) -> String {
    drawn(20_261_122, count)
}

/// A CSV file of `count` cars of the same world that are in no other sample and in no list.
pub fn sample(number: usize, count: usize) -> String {
    drawn(number as u64 + 1, count)
}

fn drawn(seed: u64, count: usize) -> String {
    let mut csv = format!("{HEADER}\n");
    let mut chance = Chance(seed);
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

/// A CSV file of the first `count` cars, starting with number `from`, whose fields are `wanted`.
pub fn cars_where(from: usize, count: usize, wanted: impl Fn(&[&str]) -> bool) -> String {
    // Enough as long as at least one car in ten is wanted.
    let all = cars(from + 10 * count);
    let rows = all.lines().skip(1 + from);
    let rows = rows.filter(|row| wanted(&row.split(',').collect::<Vec<_>>()));
    std::iter::once(HEADER)
        .chain(rows.take(count))
        .fold(String::new(), |csv, row| csv + row + "\n")
}

/// The rows `from..to` of the list of cars as instances, with their prices.
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

/// An instance that is valid for every document of `documents/`.
pub fn car() -> Value {
    json!({"year": 2017, "mileage_km": 80500.5, "fuel": "diesel", "color": "red"})
}

/// How many numeric columns a wide row has: `n0` and so on.
const NUMBERS: usize = 18;
/// How many columns of words a wide row has, `k0` and so on, and how many different words each of them has.
const KINDS: usize = 6;
const WORDS: usize = 97;

/// The columns of `documents/wide.yaml`.
pub fn wide_columns() -> String {
    let numbers = (0..NUMBERS).map(|at| format!("    - {{ name: n{at}, type: number, required: true }}"));
    let kinds = (0..KINDS).map(|at| format!("    - {{ name: k{at}, type: category, required: true }}"));
    numbers.chain(kinds).collect::<Vec<_>>().join("\n")
}

/// A row: its numbers, its words, and its price, which depends on all of them.
type Wide = (Vec<usize>, Vec<usize>, f64);

/// The rows `from..to` of a list of wide rows.
fn wide_rows(from: usize, to: usize) -> impl Iterator<Item = Wide> {
    (from..to).map(|row| {
        let mut chance = Chance((row as u64) << 20);
        let numbers: Vec<usize> = (0..NUMBERS).map(|_| chance.below(1_000)).collect();
        let words: Vec<usize> = (0..KINDS).map(|_| chance.below(WORDS)).collect();
        let weighed = |values: &[usize]| -> f64 { values.iter().zip(1..).map(|(it, by)| (it * by) as f64).sum() };
        let price = 5_000.0 + 0.2 * weighed(&numbers) + 8.0 * weighed(&words) + chance.below(1_000) as f64;
        (numbers, words, price)
    })
}

/// The rows `from..to` of that list, as a CSV file.
pub fn wide(from: usize, to: usize) -> String {
    let names = (0..NUMBERS)
        .map(|at| format!("n{at}"))
        .chain((0..KINDS).map(|at| format!("k{at}")));
    let mut csv = names.collect::<Vec<_>>().join(",") + ",price\n";
    for (numbers, words, price) in wide_rows(from, to) {
        for number in numbers {
            write!(csv, "{number},").unwrap();
        }
        for word in words {
            write!(csv, "w{word},").unwrap();
        }
        writeln!(csv, "{price:.0}").unwrap();
    }
    csv
}

/// The rows `from..to` of that list as instances, with their prices.
pub fn wide_instances(from: usize, to: usize) -> Vec<(Value, f64)> {
    let instance = |(numbers, words, price): Wide| {
        let numbers = numbers
            .iter()
            .enumerate()
            .map(|(at, number)| (format!("n{at}"), json!(number)));
        let words = words
            .iter()
            .enumerate()
            .map(|(at, word)| (format!("k{at}"), json!(format!("w{word}"))));
        (Value::Object(numbers.chain(words).collect()), price)
    };
    wide_rows(from, to).map(instance).collect()
}

/// The same in a world in which the first number is larger, and everything costs more.
pub fn wide_shifted(from: usize, to: usize) -> Vec<(Value, f64)> {
    let mut rows = wide_instances(from, to);
    for (row, price) in &mut rows {
        row["n0"] = json!(row["n0"].as_u64().unwrap() + 5_000);
        *price += 20_000.0;
    }
    rows
}

/// SplitMix64: only a few lines, and the same numbers everywhere.
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
