//! Used cars: a table of 20 columns, the same for the same seed.

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number around 0, mostly within 3; the sum of twelve is close enough to a normal distribution here.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.share() * end as f64) as usize
    }

    /// One of the values, with the first ones more frequent.
    fn skewed<'v>(&mut self, values: &[&'v str]) -> &'v str {
        let share = self.share();
        values[((share * share) * values.len() as f64) as usize]
    }
}

pub const COLUMNS: [&str; 20] = [
    "listing_id",
    "posted",
    "manufacturer",
    "model",
    "year",
    "price",
    "odometer_mi",
    "condition",
    "fuel",
    "transmission",
    "colour",
    "dealer",
    "city",
    "state",
    "registered",
    "owners",
    "engine_l",
    "l_per_100km",
    "latitude",
    "longitude",
];

pub struct Cars {
    pub rows: Vec<Vec<String>>,
}

impl Cars {
    pub fn new(seed: u64, rows: usize) -> Self {
        let mut random = Random(seed);
        Self {
            rows: (0..rows).map(|_| row(&mut random)).collect(),
        }
    }

    /// Assigns each row to one of two halves at random.
    pub fn halves(self, seed: u64) -> [Self; 2] {
        let mut random = Random(seed);
        let (a, b) = self.rows.into_iter().partition(|_| random.share() < 0.5);
        [Self { rows: a }, Self { rows: b }]
    }

    /// Changes the values of a column in the rows that match.
    pub fn change(mut self, column: &str, of: impl Fn(&[String]) -> bool, value: impl Fn(&str) -> String) -> Self {
        let at = position(column);
        for row in self.rows.iter_mut().filter(|row| of(row)) {
            row[at] = value(&row[at]);
        }
        self
    }

    pub fn csv(&self) -> String {
        let mut text = COLUMNS.join(",");
        for row in &self.rows {
            text.push('\n');
            text.push_str(&row.join(","));
        }
        text.push('\n');
        text
    }
}

pub fn position(column: &str) -> usize {
    COLUMNS.iter().position(|it| *it == column).unwrap()
}

/// Multiplies a number by a factor, and keeps whole numbers whole.
pub fn times(factor: f64) -> impl Fn(&str) -> String {
    move |text| format!("{:.0}", text.parse::<f64>().unwrap() * factor)
}

fn row(random: &mut Random) -> Vec<String> {
    let age = (random.normal().abs() * 7.0).min(30.0);
    let miles = (age * 11_000.0 * (0.6 + 0.8 * random.share())).round();
    let price = 1_500.0 + 38_000.0 * (-age / 8.0).exp() * (0.5 + random.share());
    vec![
        random.next().to_string().split_off(4),
        format!("2024-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28)),
        random
            .skewed(&[
                "Fiat", "Glas", "Edsel", "Holden", "Daimler", "Abarth", "Borgward", "Citroen",
            ])
            .to_owned(),
        format!("series {}", random.below(700)),
        format!("{:.0}", 2024.0 - age.floor()),
        format!("{price:.0}"),
        if random.share() < 0.03 {
            String::new()
        } else {
            format!("{miles:.0}")
        },
        random
            .skewed(&["good", "excellent", "fair", "new", "salvage"])
            .to_owned(),
        random.skewed(&["gas", "diesel", "hybrid", "electric"]).to_owned(),
        random.skewed(&["automatic", "manual", "cvt"]).to_owned(),
        random
            .skewed(&["white", "black", "silver", "grey", "blue", "red", "green"])
            .to_owned(),
        format!("dealer {}", random.below(400)),
        format!("city {}", random.below(250)),
        ["CA", "NY", "OR", "TX", "WA"][random.below(5)].to_owned(),
        format!("{}-{:02}", 2000 + random.below(24), 1 + random.below(12)),
        (1 + random.below(5)).to_string(),
        format!("{:.1}", 1.0 + 4.0 * random.share()),
        format!("{:.2}", 8.0 + 1.5 * random.normal()),
        format!("{:.6}", 38.0 + 4.0 * random.normal()),
        format!("{:.6}", -95.0 + 12.0 * random.normal()),
    ]
}
