//! The rows: a fault each, and the state that it must end in.

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

/// A row.
pub struct Row {
    /// What it is called by.
    pub name: &'static str,
    /// What goes wrong.
    pub fault: &'static str,
    /// How every execution since ends, in the order of their starts.
    pub ends: &'static [&'static str],
    /// What serves then: `before`, `new` or `none`; of each model where they differ.
    pub serves: &'static str,
    /// A part of every subject that people get, in any order: no more and no fewer.
    pub told: &'static [&'static str],
    /// Does it. What it says beside that is wrong.
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
