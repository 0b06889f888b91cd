//! A profile saved to a file, so that it can be continued: yesterday's state and today's data give the state of both.

use super::Profile;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// Version of the file's format; files with another version are refused.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Saving<'a> {
    format: u32,
    profile: &'a Profile,
}

#[derive(Deserialize)]
struct Saved {
    format: u32,
    profile: Profile,
}

/// Why a state could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file, or its content, can't be read or written.
    #[error("the saved state can't be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// The file was not written by `save`.
    #[error("this is not a saved state of drivetrain-monitor, or it is damaged: {0}")]
    Form(#[from] serde_json::Error),
    /// The file has another format version.
    #[error("the saved state has format {0}, and this program reads format {FORMAT}: make it again from the data")]
    Version(u32),
}

impl Profile {
    /// Saves the profile as JSON compressed with zstd.
    ///
    /// # Errors
    /// The target can't be written.
    pub fn save(&self, target: impl Write) -> Result<(), StateError> {
        let mut encoder = zstd::Encoder::new(target, 3)?;
        serde_json::to_writer(
            &mut encoder,
            &Saving {
                format: FORMAT,
                profile: self,
            },
        )?;
        encoder.finish()?.flush()?;
        Ok(())
    }

    /// Loads a profile that `save` wrote.
    ///
    /// # Errors
    /// It can't be read, is damaged, or has another format version.
    pub fn load(source: impl Read) -> Result<Self, StateError> {
        let mut text = Vec::new();
        zstd::Decoder::new(source)?.read_to_end(&mut text)?;
        let saved: Saved = serde_json::from_slice(&text)?;
        if saved.format != FORMAT {
            return Err(StateError::Version(saved.format));
        }
        Ok(saved.profile)
    }
}
