//! The documents that cross a boundary between functions, state machines, containers and people, and the names and
//! places that they refer to.
//!
//! Everything here is pure: types, their checks and their text forms. `platform` reads and writes the documents (S3,
//! Parameter Store), and the functions make decisions with them.

mod action;
pub mod champion;
pub mod command;
pub mod decision;
pub mod endpoints;
pub mod failure;
pub mod lease;
pub mod monitoring;
pub mod names;
pub mod notice;
pub mod payload;
pub mod places;
pub mod plan;
pub mod pointer;
pub mod preprocessed;
pub mod promotion;
pub mod queue;
pub mod reporting;
pub mod run;
pub mod scoring;
pub mod unreadable;
pub mod use_case;

pub use champion::Champion;
pub use command::command;
pub use decision::{Decision, Verdict};
pub use drift_document::{self as drift, Drift, change, words};
pub use failure::Failure;
pub use lease::Lease;
pub use monitoring::{Bookmark, MonitorPlan, Window};
pub use notice::{Notice, Severity};
pub use plan::{ModelPlan, ModelRun, Plan};
pub use pointer::ConfigPointer;
pub use preprocessed::PreprocessSummary;
pub use promotion::Promotion;
pub use run::{Manifest, RunId, RunState};
pub use scoring::ScoringPlan;
pub use unreadable::Unreadable;
pub use use_case::UseCase;
