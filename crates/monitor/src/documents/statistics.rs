//! `statistics.json` of data quality.
//!
//! Three things were not to be seen in files of the contract's own analyzer, and are decided here:
//! - A column without a value (`Unknown`) has `string_statistics`, with `distinct_count` 0. Read is also a column
//!   with `numerical_statistics`, and one with neither, which then has no value in any row.
//! - A text column with too many values for a list of them has an empty `distribution`: `{ }`.
//! - Characters beyond ASCII stand as they are, not as escapes.

use super::text::{Json, pretty};

mod read;

/// The document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// `dataset.item_count`: rows.
    pub rows: u64,
    /// In the order of the columns.
    pub features: Vec<Feature>,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// The column.
    pub name: String,
    /// What its values have in common.
    pub inferred_type: InferredType,
    /// Values.
    pub present: u64,
    /// Missing values.
    pub missing: u64,
    /// What the type allows to say.
    pub detail: Detail,
}

/// What the values of a column have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InferredType {
    /// Integers.
    Integral,
    /// Numbers, at least one with a fraction or an exponent.
    Fractional,
    /// Anything else.
    String,
    /// No value is there.
    Unknown,
}

impl InferredType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Integral, Self::Fractional, Self::String, Self::Unknown];

    /// As it is written in documents: `Integral`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integral => "Integral",
            Self::Fractional => "Fractional",
            Self::String => "String",
            Self::Unknown => "Unknown",
        }
    }
}

/// What the type of a column allows to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// `numerical_statistics`: integral and fractional columns.
    Numeric(Numeric),
    /// `string_statistics`: text columns, and columns without a value.
    Text(Text),
}

/// `numerical_statistics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numeric {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sum, left to right.
    pub sum: f64,
    /// Population standard deviation by Welford's recurrence.
    pub std_dev: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Ten of equal width; counts come from the sketch.
    pub buckets: Vec<Bucket>,
    /// The sketch's levels: an item of level `i` stands for `2^i` values.
    pub levels: Vec<Vec<f64>>,
}

/// A bucket of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Inclusive.
    pub lower_bound: f64,
    /// Exclusive, but for the last bucket.
    pub upper_bound: f64,
    /// Values, as the sketch estimates them.
    pub count: f64,
}

/// `string_statistics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// About how many different values there are.
    pub distinct_count: u64,
    /// Exact counts of all values, the most frequent first; `None` beyond about 120 different values.
    pub categories: Option<Vec<Category>>,
}

/// A value and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its text.
    pub value: String,
    /// Rows.
    pub count: u64,
}

/// `sketch.parameters`: by how much the capacity of a level shrinks towards the lower ones, and that of the top one.
const SKETCH: [(&str, Json); 2] = [("c", Json::Double(0.64)), ("k", Json::Double(2048.0))];

impl Statistics {
    /// The file, to the character.
    pub fn to_text(&self) -> String {
        pretty(&self.to_json())
    }

    /// The document on its way to text.
    pub fn to_json(&self) -> Json {
        Json::Object(vec![
            ("version", Json::Double(0.0)),
            ("dataset", Json::Object(vec![("item_count", Json::count(self.rows))])),
            (
                "features",
                Json::Array(self.features.iter().map(Feature::to_json).collect()),
            ),
        ])
    }
}

impl Feature {
    fn to_json(&self) -> Json {
        let common = Json::Object(vec![
            ("num_present", Json::count(self.present)),
            ("num_missing", Json::count(self.missing)),
        ]);
        let detail = match &self.detail {
            Detail::Numeric(numeric) => ("numerical_statistics", numeric.to_json(common)),
            Detail::Text(text) => ("string_statistics", text.to_json(common)),
        };
        Json::Object(vec![
            ("name", Json::text(self.name.as_str())),
            ("inferred_type", Json::text(self.inferred_type.as_str())),
            detail,
        ])
    }
}

impl Numeric {
    fn to_json(&self, common: Json) -> Json {
        let bucket = |bucket: &Bucket| {
            Json::Object(vec![
                ("lower_bound", Json::Double(bucket.lower_bound)),
                ("upper_bound", Json::Double(bucket.upper_bound)),
                ("count", Json::Double(bucket.count)),
            ])
        };
        let level = |level: &Vec<f64>| Json::Array(level.iter().map(|item| Json::Double(*item)).collect());
        let sketch = Json::Object(vec![
            ("parameters", Json::Object(SKETCH.to_vec())),
            ("data", Json::Array(self.levels.iter().map(level).collect())),
        ]);
        let kll = Json::Object(vec![
            ("buckets", Json::Array(self.buckets.iter().map(bucket).collect())),
            ("sketch", sketch),
        ]);
        Json::Object(vec![
            ("common", common),
            ("mean", Json::Double(self.mean)),
            ("sum", Json::Double(self.sum)),
            ("std_dev", Json::Double(self.std_dev)),
            ("min", Json::Double(self.min)),
            ("max", Json::Double(self.max)),
            ("distribution", Json::Object(vec![("kll", kll)])),
        ])
    }
}

impl Text {
    fn to_json(&self, common: Json) -> Json {
        let bucket = |category: &Category| {
            Json::Object(vec![
                ("value", Json::text(category.value.as_str())),
                ("count", Json::count(category.count)),
            ])
        };
        let distribution = self.categories.iter().map(|categories| {
            let buckets = Json::Array(categories.iter().map(bucket).collect());
            ("categorical", Json::Object(vec![("buckets", buckets)]))
        });
        Json::Object(vec![
            ("common", common),
            ("distinct_count", Json::Double(self.distinct_count as f64)),
            ("distribution", Json::Object(distribution.collect())),
        ])
    }
}

#[cfg(test)]
mod tests;
