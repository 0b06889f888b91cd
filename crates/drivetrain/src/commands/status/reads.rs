//! How much is read at the same time.

/// Reads at the same time.
pub(super) const READS: usize = 16;
