//! The subcommands, a module each.

pub mod champions;
pub mod dashboard;
pub mod dead_letters;
pub mod demo;
pub mod dist;
pub mod down;
pub mod drop;
pub mod env;
pub mod logs;
pub mod monitor;
pub mod offboard;
pub mod onboard;
pub mod promotion;
pub mod rerun;
pub mod schema;
pub mod status;
pub mod test;
pub mod up;
