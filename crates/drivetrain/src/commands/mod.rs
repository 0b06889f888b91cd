//! The subcommands, a module each.

pub mod champions;
pub mod dashboard;
pub mod dead_letters;
pub mod drop;
pub mod logs;
pub mod monitor;
pub mod offboard;
pub mod onboard;
pub mod promotion;
pub mod rerun;
pub mod status;
