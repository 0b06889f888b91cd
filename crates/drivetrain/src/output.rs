//! Files that commands write where the user says.

use anyhow::{Context, Result, bail};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// Checks that a file can be written, before the work that makes it; creates the folders that it is to lie in.
///
/// # Errors
/// It can't; the text says why.
pub fn prepare(file: &Path) -> Result<()> {
    refuse_folder(file)?;
    create_folders(file)?;
    beside(file).map(drop)
}

/// Refuses a folder in a file's place.
///
/// # Errors
/// It is one.
pub fn refuse_folder(file: &Path) -> Result<()> {
    if file.is_dir() || file.as_os_str().to_string_lossy().ends_with('/') {
        bail!("{} is a folder: name a file in it", file.display());
    }
    Ok(())
}

/// Creates the folders that a file is to lie in.
///
/// # Errors
/// One can't be created.
pub fn create_folders(file: &Path) -> Result<()> {
    let folder = folder(file);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))
}

/// A temporary file in the folder of another, to be renamed to it when it is whole.
///
/// # Errors
/// The folder can't be written to.
pub fn beside(file: &Path) -> Result<NamedTempFile> {
    // Readable like any new file: a temporary file would be private to its owner.
    let mut builder = tempfile::Builder::new();
    let builder = builder.permissions(std::fs::Permissions::from_mode(0o644));
    // The error names the temporary file, which tells nothing.
    let created = builder
        .tempfile_in(folder(file))
        .map_err(|error| io::Error::from(error.kind()));
    created.with_context(|| cannot_write(file))
}

/// Puts a temporary file in the place of another.
///
/// # Errors
/// It can't be put there.
pub fn persist(temporary: NamedTempFile, file: &Path) -> Result<()> {
    let put = temporary.persist(file).map_err(|error| error.error);
    put.map(drop).with_context(|| cannot_write(file))
}

/// What a failure to write a file begins with.
pub fn cannot_write(file: &Path) -> String {
    format!("cannot write {}", file.display())
}

fn folder(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_created_and_what_can_not_be_written_is_told_before() {
        let root = tempfile::Builder::new().prefix("written").tempdir().unwrap();
        let file = root.path().join("a/b/scored.csv");
        prepare(&file).unwrap();
        assert!(file.parent().unwrap().is_dir() && !file.exists());
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 0);
        prepare(Path::new("scored.csv")).unwrap();

        let folder = prepare(root.path()).unwrap_err().to_string();
        assert!(folder.ends_with("is a folder: name a file in it"), "{folder}");
        std::fs::write(&file, "").unwrap();
        let below = format!("{:#}", prepare(&file.join("c.csv")).unwrap_err());
        assert!(
            below.starts_with("cannot create the folder") && !below.contains(".tmp"),
            "{below}"
        );
    }
}
