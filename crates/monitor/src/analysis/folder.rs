//! The files of a baseline or a check in a folder.

use super::error::Error;
use std::path::Path;

/// The statistics, in the contract's form.
pub const STATISTICS: &str = "statistics.json";
/// The constraints, in the contract's form.
pub const CONSTRAINTS: &str = "constraints.json";
/// The violations, in the contract's form. Written even if there are none, so that a reader can tell a clean check from
/// one that did not finish.
pub const VIOLATIONS: &str = "constraint_violations.json";
/// The outcome and its reasons.
pub const DRIFT: &str = "drift.json";
/// The report for people.
pub const REPORT: &str = "report.html";
/// A saved profile that can be continued.
pub const STATE: &str = "state.zst";
/// Statistics of the model's predictions.
pub const PREDICTION_STATISTICS: &str = "prediction_statistics.json";
/// Constraints on the model's predictions.
pub const PREDICTION_CONSTRAINTS: &str = "prediction_constraints.json";

/// Writes a file under a temporary name and renames it, so that a file with the final name is always complete.
///
/// # Errors
/// The folder can't be created, or the file can't be written.
pub fn write(folder: &Path, name: &str, contents: &[u8]) -> Result<(), Error> {
    if folder.is_file() {
        return Err(Error::File {
            path: folder.to_owned(),
            what: "this is a file: name a folder for the results".to_owned(),
        });
    }
    let target = folder.join(name);
    let part = folder.join(format!(".{name}.part"));
    std::fs::create_dir_all(folder).map_err(|error| Error::writing(folder, &error))?;
    std::fs::write(&part, contents).map_err(|error| Error::writing(&part, &error))?;
    std::fs::rename(&part, &target).map_err(|error| Error::writing(&target, &error))
}

/// Checks that the output folder is not the folder that is read: a check must not overwrite its baseline.
///
/// # Errors
/// They are the same.
pub fn apart(read: &Path, written: &Path) -> Result<(), Error> {
    match (read.canonicalize(), written.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => Err(Error::File {
            path: written.to_owned(),
            what: "this is the baseline, and the result would be written over it: name another output folder"
                .to_owned(),
        }),
        // A folder that doesn't exist yet can't be one that is read.
        _ => Ok(()),
    }
}

/// The text of a document.
///
/// # Errors
/// It can't be read, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    let name = path.display().to_string();
    Ok(crate::documents::json::utf8(&bytes, &name)?.to_owned())
}

/// Writes `drift.json`.
///
/// # Errors
/// It can't be written.
pub fn write_drift(folder: &Path, drift: &drift_document::Drift) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(drift).map_err(|error| Error::Unusable(error.to_string()))?;
    text.push(b'\n');
    write(folder, DRIFT, &text)
}
