//! Distinct counts: HyperLogLog++.

/// A sketch of how many different values there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hll {}
