//! Reads Parquet into profiles. A task is one column of one row group: tasks run on all cores, and their results are
//! merged in the order of the row groups, column by column.
//!
//! Numbers are used as they are, decimals as the nearest double (fractional, whatever their scale); dates and times
//! become text in the reference's form, booleans `true` and `false`. Strings are classified like those of other
//! formats: digits in them are numbers. NaN and infinities count as present but are in no figure: the reference's mean
//! would be NaN, and nothing could be compared. Lists, structs and maps are refused: columns must be flat.

mod column;
mod opened;
mod tasks;

use super::error::{Error, no_rows};
use super::options::{Options, segment_column};
use crate::profile::Profile;
use opened::Opened;
use std::path::PathBuf;

/// Reads all files.
pub(super) fn profile(files: &[PathBuf], options: &Options<'_>) -> Result<Profile, Error> {
    let Some(first) = files.first() else {
        return Err(no_rows(files));
    };
    let opened = Opened::open(first, 0)?;
    let names = opened.names();
    let segment = segment_column(&names, options, Some(first))?;
    let empty = Profile::new(names.iter().map(|name| (name.clone(), options.expected_of(name))));
    let profile = tasks::run(files, opened, &empty, segment, options)?;
    if profile.rows == 0 {
        return Err(no_rows(files));
    }
    Ok(profile)
}
