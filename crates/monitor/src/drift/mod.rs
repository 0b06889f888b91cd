//! Distances between two statistics, false-discovery control, and the outcome.
