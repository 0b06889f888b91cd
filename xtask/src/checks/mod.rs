//! What `test` looks at itself: the project's definitions beyond what well-kept tools check, and runners' results.

pub mod counts;
pub mod imports;
pub mod machine;
