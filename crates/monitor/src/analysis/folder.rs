//! The files of a baseline and of a check, in a folder.

use super::error::Error;
use std::path::Path;

/// The contract's statistics.
pub const STATISTICS: &str = "statistics.json";
/// The contract's constraints.
pub const CONSTRAINTS: &str = "constraints.json";
/// The contract's violations. Written when there are none as well: a reader can then tell a clean check from one that
/// did not come to its end.
pub const VIOLATIONS: &str = "constraint_violations.json";
/// What comes of it.
pub const DRIFT: &str = "drift.json";
/// The same for people.
pub const REPORT: &str = "report.html";
/// A saved profile, to go on from.
pub const STATE: &str = "state.zst";
/// Statistics of what a model answers.
pub const PREDICTION_STATISTICS: &str = "prediction_statistics.json";
/// Constraints of what a model answers.
pub const PREDICTION_CONSTRAINTS: &str = "prediction_constraints.json";

/// Writes a file under another name and renames it: what has the name is whole.
///
/// # Errors
/// The folder can't be made, or the file can't be written.
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

/// Whether a folder that is to be written is one that is read: a check must not write over its baseline.
///
/// # Errors
/// It is.
pub fn apart(read: &Path, written: &Path) -> Result<(), Error> {
    match (read.canonicalize(), written.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => Err(Error::File {
            path: written.to_owned(),
            what: "this is the baseline, and the result would be written over it: name another output folder"
                .to_owned(),
        }),
        // What is not there yet is nothing that is read.
        _ => Ok(()),
    }
}

/// The text of a document.
///
/// # Errors
/// It can't be read, or is no UTF-8.
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
