//! A baseline: a description of data, and the requirements that follow from it for later data.

use super::error::Error;
use super::folder;
use crate::checks;
use crate::documents::{Constraints, Statistics};
use crate::profile::Profile;
use std::path::Path;

/// A description of data, and the requirements for later data.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The profile that was read.
    pub profile: Profile,
    /// Statistics of the profile.
    pub statistics: Statistics,
    /// Constraints suggested from the statistics.
    pub constraints: Constraints,
}

impl Baseline {
    /// The baseline for a profile.
    pub fn of_profile(profile: Profile) -> Self {
        let statistics = profile.statistics();
        Self {
            constraints: checks::suggest(&statistics),
            statistics,
            profile,
        }
    }

    /// Writes `statistics.json` and `constraints.json`, and `state.zst` if requested. Segments are stored in the state
    /// only, so if there are segments, it is always written.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn write(&self, target: &Path, state: bool) -> Result<(), Error> {
        folder::write(target, folder::STATISTICS, self.statistics.to_text().as_bytes())?;
        folder::write(target, folder::CONSTRAINTS, self.constraints.to_text().as_bytes())?;
        if state || self.profile.segments.is_some() {
            write_state(&self.profile, target)?;
        }
        Ok(())
    }
}

/// Writes `state.zst`.
///
/// # Errors
/// It can't be written.
pub(super) fn write_state(profile: &Profile, target: &Path) -> Result<(), Error> {
    let path = target.join(folder::STATE);
    let mut state = Vec::new();
    profile.save(&mut state).map_err(|error| Error::State { path, error })?;
    folder::write(target, folder::STATE, &state)
}
