//! The functions of the program, independent of how it is run: a baseline, a check against one, model quality, and the
//! files of each.
//!
//! Arguments, environment and printing are handled by `cli` and `container`.

mod baseline;
mod between;
mod check;
mod data;
mod error;
pub mod folder;
mod known;
mod quality;

pub use baseline::Baseline;
pub use between::between;
pub use check::{Checked, check, failed};
pub use data::{Data, join};
pub use error::Error;
pub use folder::write_drift;
pub use known::{Known, read_state, read_statistics};
pub use quality::{KnownQuality, Quality, quality};

use crate::checks::Switches;
use drift_document::Settings;

/// The rules for judging a check.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Thresholds and the minimum of rows.
    pub settings: Settings,
    /// Differences between versions of the contract's analyzer.
    pub switches: Switches,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            settings: crate::drift::default_settings(),
            switches: Switches::default(),
        }
    }
}
