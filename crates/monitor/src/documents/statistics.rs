//! `statistics.json` of data quality.

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
