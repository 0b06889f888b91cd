//! The location of the contract's folders.

use std::path::PathBuf;

/// The folder that takes the place of `/opt/ml`: `/opt/ml` itself, unless `SAGEMAKER_BASE_DIR` names another one.
#[derive(Clone, Debug)]
pub struct Base(Option<PathBuf>);

impl Base {
    /// The base folder for the variable's value.
    pub fn new(folder: Option<&str>) -> Self {
        Self(folder.filter(|it| !it.is_empty()).map(PathBuf::from))
    }

    /// The location of a path of the contract.
    pub fn place(&self, path: &str) -> PathBuf {
        match (&self.0, path.strip_prefix("/opt/ml")) {
            (Some(base), Some("")) => base.clone(),
            (Some(base), Some(rest)) if rest.starts_with('/') => base.join(rest.trim_start_matches('/')),
            _ => PathBuf::from(path),
        }
    }
}
