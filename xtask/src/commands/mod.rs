//! The subcommands, one module each.

pub mod demo;
pub mod dist;
pub mod down;
pub mod env;
pub mod generate;
pub mod schema;
pub mod test;
pub mod up;
