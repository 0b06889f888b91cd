//! What a row is.

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
