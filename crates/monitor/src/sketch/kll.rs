//! Quantiles: the KLL sketch.

/// A sketch of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kll {}
