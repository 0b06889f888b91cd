//! The paths of the checkout, and the locks that keep two processes of ours from working in the same place.

use anyhow::{Context, Result, bail};
use drivetrain::local::{self, Instance};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Paths of the checkout and of one instance of the local stack.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    instance: String,
}

impl Layout {
    /// Paths for an instance of the checkout that this program belongs to.
    pub fn new(instance: &str) -> Self {
        Self::at(checkout(), instance)
    }

    /// Paths below `root`.
    pub fn at(root: PathBuf, instance: &str) -> Self {
        Self {
            root,
            instance: instance.to_owned(),
        }
    }

    /// The same checkout, another instance.
    pub fn with_instance(&self, instance: &str) -> Self {
        Self::at(self.root.clone(), instance)
    }

    /// Whether this is the default instance, which takes the well-known ports.
    pub fn is_default_instance(&self) -> bool {
        self.instance == local::DEFAULT_INSTANCE
    }

    /// The instance, as `drivetrain` finds it.
    pub fn found(&self) -> Instance {
        Instance::new(self.local(), &self.instance)
    }

    /// The instance's name.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// A path of the checkout.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The root of the checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of everything local that outlives a stack: `target/local`.
    pub fn local(&self) -> PathBuf {
        self.path("target/local")
    }

    /// The folder of a Python environment.
    pub fn environment(&self, name: &str) -> PathBuf {
        self.local().join("venvs").join(name)
    }

    /// Logs of set-up, builds and tests; they outlive a stack.
    pub fn setup_log(&self, name: &str) -> PathBuf {
        self.local().join("logs").join(format!("{name}.log"))
    }

    /// The folder of this instance; `down` removes it.
    pub fn stack(&self) -> PathBuf {
        self.local().join(&self.instance)
    }

    /// The folder with a demo's results on this instance.
    pub fn demo(&self) -> PathBuf {
        self.path(if self.is_default_instance() {
            "target/demo".to_owned()
        } else {
            format!("target/demo-{}", self.instance)
        })
    }

    /// A path as shown to people: relative to the checkout if possible.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Takes the lock of this instance; the error names its holder.
    ///
    /// # Errors
    /// Another process of ours is starting or stopping this instance.
    pub fn lock_instance(&self) -> Result<Lock> {
        let path = self.local().join(format!("{}.lock", self.instance));
        match Lock::try_take(&path)? {
            Ok(lock) => Ok(lock),
            Err(holder) => bail!(
                "another xtask is at work on the local stack `{}` ({holder}): wait for it or stop it, then try again",
                self.instance
            ),
        }
    }
}

/// The root of the checkout. With `cargo run`, cargo says where this package is; a program that is called directly is
/// in the checkout's target folder, or else belongs to the checkout where it was built.
fn checkout() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let program = std::env::current_exe().unwrap_or_default();
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .iter()
        .filter_map(|package| package.parent())
        .chain(program.ancestors())
        .chain(built.parent())
        .find(|folder| folder.join("xtask/Cargo.toml").exists())
        .unwrap_or(built)
        .to_path_buf()
}

/// An advisory lock on a file; the system releases it when its holder ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or returns who holds it (`pid 123`).
    ///
    /// # Errors
    /// The file can't be made.
    pub fn try_take(path: &Path) -> Result<Result<Self, String>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "pid {}", std::process::id())?;
                Ok(Ok(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                Ok(Err(holder))
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_elsewhere_leaves_the_usual_ones_files_alone() {
        let usual = Layout::at(PathBuf::from("/checkout"), local::DEFAULT_INSTANCE);
        assert_eq!(usual.demo(), Path::new("/checkout/target/demo"));
        assert_eq!(
            usual.with_instance("test").demo(),
            Path::new("/checkout/target/demo-test")
        );
    }

    #[test]
    fn a_second_holder_is_told_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/it.lock");
        let first = Lock::try_take(&path).unwrap().unwrap();
        assert_eq!(
            Lock::try_take(&path).unwrap().unwrap_err(),
            format!("pid {}", std::process::id())
        );
        drop(first);
        assert!(Lock::try_take(&path).unwrap().is_ok());
    }
}
