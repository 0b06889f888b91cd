//! What a user of a deployed Drivetrain does: the command `drivetrain`, and the parts of it that the repository's own
//! tasks use as well.
//!
//! `cli` is the command line, `commands` has a module each subcommand. Below them: `init` (a document from a file), `target` (a stack, on AWS or local, and
//! its clients), `local` (where local stacks are), `document` (use-case documents), `follow` (a run as it goes on),
//! `promotions` (who serves, and whose word it was), `api` (predictions), `mails` (the local inbox).

pub mod api;
mod check_endpoint;
pub mod cli;
pub mod commands;
mod context;
pub mod document;
pub mod drops;
pub mod follow;
mod http;
pub mod init;
pub mod interrupt;
pub mod local;
pub mod mails;
pub mod onboarding;
pub mod promotions;
pub mod start_run;
mod subscriptions;
pub mod target;
pub mod ui;

pub use context::{Context, Options, Place};
