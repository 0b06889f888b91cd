//! The text form of the contract's files.

/// A document on its way to text. Whole numbers and doubles are written differently, and members keep their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// `24`.
    Whole(i64),
    /// `24.0`, in the form of Java's `Double.toString`; NaN and the infinities as strings.
    Double(f64),
    /// A string.
    Text(String),
    /// `[ … ]`.
    Array(Vec<Json>),
    /// `{ … }`.
    Object(Vec<(&'static str, Json)>),
    /// An object whose keys are data.
    Map(Vec<(String, Json)>),
}
