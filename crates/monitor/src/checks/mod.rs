//! Constraints: suggested from statistics, and judged against them.
