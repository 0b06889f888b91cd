//! Checks of the project's own definitions, beyond what well-kept tools check.

pub mod machine;
