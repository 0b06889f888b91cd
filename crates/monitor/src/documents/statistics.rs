//! `statistics.json` of data quality.
//!
//! Three cases did not occur in any file of the contract's own analyzer, and are decided here:
//! - A column without a value (`Unknown`) has `string_statistics`, with `distinct_count` 0. Reading also accepts a
//!   column with `numerical_statistics`, and one with neither, which then has no value in any row.
//! - A text column with too many values to list has an empty `distribution`: `{ }`.
//! - Characters beyond ASCII are written as they are, not as escapes.

use super::text::{Json, pretty};

mod read;

/// The document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// `dataset.item_count`: the number of rows.
    pub rows: u64,
    /// The columns, in order.
    pub features: Vec<Feature>,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Name of the column.
    pub name: String,
    /// The common type of its values.
    pub inferred_type: InferredType,
    /// Number of values that are present.
    pub present: u64,
    /// Number of missing values.
    pub missing: u64,
    /// Statistics that depend on the type.
    pub detail: Detail,
}

/// The common type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InferredType {
    /// Integers.
    Integral,
    /// Numbers, at least one of which has a fraction or an exponent.
    Fractional,
    /// Anything else.
    String,
    /// No value is present.
    Unknown,
}

impl InferredType {
    /// All types.
    pub const ALL: [Self; 4] = [Self::Integral, Self::Fractional, Self::String, Self::Unknown];

    /// Name in documents: `Integral`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integral => "Integral",
            Self::Fractional => "Fractional",
            Self::String => "String",
            Self::Unknown => "Unknown",
        }
    }
}

/// Statistics that depend on the type of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// `numerical_statistics`, for integral and fractional columns.
    Numeric(Numeric),
    /// `string_statistics`, for text columns and columns without a value.
    Text(Text),
}

/// `numerical_statistics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numeric {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sum, added from left to right.
    pub sum: f64,
    /// Population standard deviation by Welford's recurrence.
    pub std_dev: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Ten buckets of equal width, whose counts are estimated by the sketch.
    pub buckets: Vec<Bucket>,
    /// The sketch's levels: an item of level `i` represents `2^i` values.
    pub levels: Vec<Vec<f64>>,
}

/// A bucket of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Lower bound, inclusive.
    pub lower_bound: f64,
    /// Upper bound; inclusive in the last bucket, otherwise exclusive.
    pub upper_bound: f64,
    /// Number of values, estimated by the sketch.
    pub count: f64,
}

/// `string_statistics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// Approximate number of different values.
    pub distinct_count: u64,
    /// Exact counts of all values, most frequent first; `None` beyond about 120 different values.
    pub categories: Option<Vec<Category>>,
}

/// A value and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// The value's text.
    pub value: String,
    /// Number of rows.
    pub count: u64,
}

/// `sketch.parameters`: the factor by which the capacity of a level shrinks towards the lower ones, and the capacity of
/// the top one.
const SKETCH: [(&str, Json); 2] = [("c", Json::Double(0.64)), ("k", Json::Double(2048.0))];

impl Statistics {
    /// The text of the file, as the contract's analyzer writes it.
    pub fn to_text(&self) -> String {
        pretty(&self.to_json())
    }

    /// The document as JSON.
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
