//! The subcommands, one module each.

pub mod champions;
pub mod check;
pub mod completions;
pub mod dashboard;
pub mod dead_letters;
pub mod doctor;
pub mod drop;
pub mod inbox;
pub mod init;
pub mod logs;
pub mod man;
pub mod monitor;
pub mod offboard;
pub mod onboard;
pub mod predict;
pub mod promotion;
pub mod rerun;
pub mod score;
pub mod status;

pub(crate) use status::{endpoints, runs};
