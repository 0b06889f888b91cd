//! The rows: each has one fault, and the state in which it must end.

mod api;
mod champion;
mod data;
mod endpoint;
mod events;
mod floods;
mod functions;
mod keys;
mod lease;
mod monitoring;
mod promotion;
mod retirement;
mod retraining;
mod scoring;
mod training;

use crate::world::World;
use futures::future::LocalBoxFuture;
use std::sync::Arc;

/// A row of the fault matrix.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What goes wrong.
    pub fault: &'static str,
    /// How each execution of the row ends, in the order in which they start.
    pub ends: &'static [&'static str],
    /// What serves in the end: `before`, `new` or `none`, for each model if they differ.
    pub serves: &'static str,
    /// A part of the subject of each mail that is sent, in any order: no more mails and no fewer.
    pub told: &'static [&'static str],
    /// Plays the row. An error counts as a mistake.
    pub play: fn(Arc<World>) -> LocalBoxFuture<'static, anyhow::Result<()>>,
}

/// Rows by theme.
pub fn all() -> Vec<(&'static str, Vec<Row>)> {
    vec![
        ("training and the gate", training::rows()),
        ("the champion", champion::rows()),
        ("the endpoint", endpoint::rows()),
        ("the lease", lease::rows()),
        ("people who decide", promotion::rows()),
        ("retirement", retirement::rows()),
        ("functions that die", functions::rows()),
        ("files and events", events::rows()),
        ("keys", keys::rows()),
        ("what is in the files", data::rows()),
        ("floods", floods::rows()),
        ("scoring", scoring::rows()),
        ("monitoring and retraining", monitoring::rows()),
        ("retraining by drift", retraining::rows()),
        ("predictions", api::rows()),
    ]
}

/// The body of a row.
macro_rules! play {
    ($world:ident $body:block) => {
        |$world: std::sync::Arc<crate::world::World>| {
            futures::FutureExt::boxed_local(async move {
                $body
                Ok(())
            })
        }
    };
}
pub(crate) use play;
