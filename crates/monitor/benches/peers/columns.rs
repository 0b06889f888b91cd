//! The rows of the data: used-car listings, the same for the same seed.
//!
//! 20 columns: 11 of text (5 … 5,000 different values, some with commas, two of dates) and 9 of numbers. 2 % of the
//! fields are missing, except for the listing's number. There is also a set of 500 columns of the same kinds.

use std::io::Write;

/// Number of missing fields among 1,000.
const MISSING: u64 = 20;
const WIDE: usize = 500;

/// A field.
pub enum Cell<'a> {
    Missing,
    Text(&'a Text),
    /// `units / 10^digits`.
    Number {
        units: i64,
        digits: u32,
    },
}

impl Cell<'_> {
    pub fn csv(&self, line: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Cell::Missing => Ok(()),
            Cell::Text(text) => line.write_all(text.csv.as_bytes()),
            Cell::Number { units, digits: 0 } => write!(line, "{units}"),
            Cell::Number { units, digits } => {
                let one = 10_u64.pow(*digits);
                let (sign, size) = (if *units < 0 { "-" } else { "" }, units.unsigned_abs());
                write!(
                    line,
                    "{sign}{}.{:0width$}",
                    size / one,
                    size % one,
                    width = *digits as usize
                )
            }
        }
    }

    pub fn json(&self, line: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Cell::Missing => line.write_all(b"null"),
            // No text needs to be escaped in JSON.
            Cell::Text(text) => write!(line, "\"{}\"", text.plain),
            number @ Cell::Number { .. } => number.csv(line),
        }
    }
}

/// A text, in plain form and in the form of CSV.
pub struct Text {
    /// The plain text.
    pub plain: String,
    csv: String,
}

fn texts(plain: impl IntoIterator<Item = String>) -> Vec<Text> {
    let text = |plain: String| {
        let csv = if plain.contains(',') {
            format!("\"{plain}\"")
        } else {
            plain.clone()
        };
        Text { plain, csv }
    };
    plain.into_iter().map(text).collect()
}

/// A column.
pub struct Column {
    /// Name in the header.
    pub name: String,
    /// Kind of its values.
    pub kind: Kind,
}

/// The kind of a column's values.
pub enum Kind {
    /// Row numbers.
    Serial,
    /// One of these texts.
    Text(Vec<Text>, Shape),
    /// Decimals from `low` to `high`, both in units of the last digit.
    Number {
        low: i64,
        high: i64,
        digits: u32,
        shape: Shape,
    },
}

/// Distribution of values.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Uniform.
    Flat,
    /// Most values in the middle.
    Bell,
    /// Most values at the lower end.
    Skewed,
}

impl Column {
    pub fn draw(&self, random: &mut Random, row: u64) -> Cell<'_> {
        if !matches!(self.kind, Kind::Serial) && random.below(1000) < MISSING {
            return Cell::Missing;
        }
        match &self.kind {
            // Beyond 32 bits, like real ids.
            Kind::Serial => Cell::Number {
                units: 7_300_000_000 + row.cast_signed() * 3,
                digits: 0,
            },
            Kind::Text(texts, shape) => Cell::Text(&texts[random.shaped(texts.len() as u64, *shape) as usize]),
            Kind::Number {
                low,
                high,
                digits,
                shape,
            } => {
                let drawn = random.shaped(high.abs_diff(*low) + 1, *shape);
                Cell::Number {
                    units: low + drawn.cast_signed(),
                    digits: *digits,
                }
            }
        }
    }
}

/// SplitMix64: small, fast, and the same on every machine.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end`, exclusive; `end` must be below 2^32.
    fn below(&mut self, end: u64) -> u64 {
        ((self.next() >> 32) * end) >> 32
    }

    fn shaped(&mut self, end: u64, shape: Shape) -> u64 {
        match shape {
            Shape::Flat => self.below(end),
            Shape::Bell => (self.below(end) + self.below(end) + self.below(end)) / 3,
            Shape::Skewed => {
                let top = self.below(end) + 1;
                self.below(top)
            }
        }
    }
}

/// The 20 columns of the listing.
pub fn cars() -> Vec<Column> {
    let makers = [
        "Abarth", "Borgward", "Citroen", "Daimler", "Edsel", "Fiat", "Glas", "Holden",
    ];
    let series = ["saloon", "estate", "coupe", "cabriolet", "van"];
    let model = |number: usize| {
        // Every fortieth text has a comma, and therefore quotes in CSV.
        let comma = if number.is_multiple_of(40) { "," } else { "" };
        format!("{} {}{comma} {}", makers[number % 8], number / 8, series[number % 5])
    };
    let list = |names: &str| texts(names.split(' ').map(str::to_owned));
    let named = |stem: &str, end: usize| texts((0..end).map(|number| format!("{stem} {number:03}")));
    let text = |name: &str, values: Vec<Text>, shape| Column {
        name: name.to_owned(),
        kind: Kind::Text(values, shape),
    };
    let number = |name: &str, low, high, digits, shape| Column {
        name: name.to_owned(),
        kind: Kind::Number {
            low,
            high,
            digits,
            shape,
        },
    };
    let states = (0..50_u8).map(|state| format!("{}{}", char::from(b'A' + state % 26), char::from(b'A' + state / 2)));
    vec![
        Column {
            name: "listing_id".to_owned(),
            kind: Kind::Serial,
        },
        text("posted", dates(2024, 3), Shape::Flat),
        text("manufacturer", named("maker", 42), Shape::Skewed),
        text("model", texts((0..5000).map(model)), Shape::Skewed),
        number("year", 1990, 2026, 0, Shape::Bell),
        number("price", 0, 150_000, 0, Shape::Skewed),
        number("odometer_mi", 0, 300_000, 0, Shape::Bell),
        text(
            "condition",
            list("new excellent good fair salvage unknown"),
            Shape::Skewed,
        ),
        text("fuel", list("gas diesel hybrid electric other"), Shape::Skewed),
        text(
            "transmission",
            list("automatic manual semi-automatic cvt direct other"),
            Shape::Skewed,
        ),
        text(
            "colour",
            list("white black silver grey blue red green brown orange yellow purple custom"),
            Shape::Skewed,
        ),
        text("dealer", named("dealer", 2500), Shape::Flat),
        text(
            "city",
            texts((0..400).map(|city| format!("city {city}{}", if city % 50 == 0 { ", old town" } else { "" }))),
            Shape::Skewed,
        ),
        text("state", texts(states), Shape::Flat),
        text("registered", dates(2000, 12), Shape::Flat),
        number("owners", 1, 8, 0, Shape::Skewed),
        number("engine_l", 8, 65, 1, Shape::Bell),
        number("l_per_100km", 250, 2_500, 2, Shape::Bell),
        number("latitude", 18_000_000, 61_000_000, 6, Shape::Bell),
        number("longitude", -160_000_000, -66_000_000, 6, Shape::Flat),
    ]
}

/// 500 columns of the same kinds, so that only the number differs: those of the listing, 25 times.
pub fn wide() -> Vec<Column> {
    let copy = |number: usize| {
        cars().into_iter().map(move |column| Column {
            name: format!("{}_{number}", column.name),
            ..column
        })
    };
    (0..WIDE / cars().len()).flat_map(copy).collect()
}

/// The days of some years, except for the last days of long months.
fn dates(from: u32, years: u32) -> Vec<Text> {
    let days = |year: u32| (1..=12).flat_map(move |month| (1..=28).map(move |day| (year, month, day)));
    let all = (from..from + years).flat_map(days);
    texts(all.map(|(year, month, day)| format!("{year}-{month:02}-{day:02}")))
}
