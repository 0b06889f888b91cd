//! The checks that `test` makes itself: of the project's definitions, beyond what established tools check, and of
//! runners' results.

pub mod counts;
pub mod imports;
pub mod machine;
