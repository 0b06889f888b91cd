//! The command `drivetrain`, for users of a deployed stack, and the parts of it that the repository's own tasks use as
//! well.
//!
//! `cli` is the command line, `commands` has one module per subcommand. Below them: `init` (makes a document from a
//! file), `target` (a stack, on AWS or local, and its clients), `local` (where local stacks are), `document` (use-case
//! documents), `follow` (following a run), `promotions` (which models serve, and who decided that), `request`
//! and `api` (predictions), `mails` (the local inbox).

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
mod output;
pub mod promotions;
mod request;
pub mod start_run;
mod subscriptions;
pub mod target;
pub mod ui;

pub use context::{Context, Options, Place};
