//! Selection of the files that are read.

use super::error::Error;
use std::path::{Path, PathBuf};

/// The file itself, or all files in a folder and below, by name. Left out are hidden files, empty ones, and those whose
/// name begins with an underscore, which are markers of the programs that write data.
pub(super) fn list(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::file(path, &error))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    walk(path, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(Error::NoData(format!(
            "there is no file to analyse in {}",
            path.display()
        )));
    }
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let at = |error| Error::file(folder, &error);
    for entry in std::fs::read_dir(folder).map_err(at)? {
        let path = entry.map_err(at)?.path();
        let name = path
            .file_name()
            .map(|it| it.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let metadata = std::fs::metadata(&path).map_err(|error| Error::file(&path, &error))?;
        if metadata.is_dir() {
            walk(&path, files)?;
        } else if metadata.len() > 0 {
            files.push(path);
        }
    }
    Ok(())
}

/// Number of bytes of all files, before decompression.
pub(super) fn total_bytes(files: &[PathBuf]) -> u64 {
    files
        .iter()
        .filter_map(|it| std::fs::metadata(it).ok())
        .map(|it| it.len())
        .sum()
}
