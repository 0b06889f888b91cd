//! Where the folders of the contract lie.

use std::path::PathBuf;

/// The folder that stands for `/opt/ml`: itself, unless `SAGEMAKER_BASE_DIR` names another one.
#[derive(Clone, Debug)]
pub struct Base(Option<PathBuf>);

impl Base {
    /// Of the variable's value.
    pub fn new(folder: Option<&str>) -> Self {
        Self(folder.filter(|it| !it.is_empty()).map(PathBuf::from))
    }

    /// Where a path of the contract lies.
    pub fn place(&self, path: &str) -> PathBuf {
        match (&self.0, path.strip_prefix("/opt/ml")) {
            (Some(base), Some("")) => base.clone(),
            (Some(base), Some(rest)) if rest.starts_with('/') => base.join(rest.trim_start_matches('/')),
            _ => PathBuf::from(path),
        }
    }
}
