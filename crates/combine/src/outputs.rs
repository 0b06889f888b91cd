//! The files of the output folder. They have temporary names until all are complete; if dropped before, they are
//! removed.

use crate::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

const BUFFER_BYTES: usize = 1 << 17;

/// Files that are being written.
pub struct Outputs {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

/// A CSV file that is being written.
pub struct Output {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Outputs {
    /// Outputs below `folder`, which is created.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            files: Vec::new(),
        }
    }

    /// Adds a new CSV file.
    pub fn csv(&mut self, name: &str) -> Result<Output, Error> {
        let path = self.add(name)?;
        let file = File::create(part(&path)).map_err(|error| Error::write(&path, &error))?;
        let writer = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(BufWriter::with_capacity(BUFFER_BYTES, file));
        Ok(Output { path, writer })
    }

    /// Adds a copy of a file.
    pub fn copy(&mut self, from: &Path, name: &str) -> Result<(), Error> {
        let path = self.add(name)?;
        fs::copy(from, part(&path)).map_err(|error| Error::write(&path, &error))?;
        Ok(())
    }

    /// Adds a file with this content. Files get their final names in the order in which they were added, so add it
    /// last.
    pub fn write(&mut self, name: &str, content: &str) -> Result<(), Error> {
        let path = self.add(name)?;
        fs::write(part(&path), content).map_err(|error| Error::write(&path, &error))
    }

    /// Gives the files their final names, in the order in which they were added.
    pub fn finish(mut self) -> Result<(), Error> {
        for path in &self.files {
            fs::rename(part(path), path).map_err(|error| Error::write(path, &error))?;
        }
        self.files.clear();
        Ok(())
    }

    fn add(&mut self, name: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(name);
        // The path has a parent, because a name is never the folder itself.
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(|error| Error::write(folder, &error))?;
        self.files.push(path.clone());
        Ok(path)
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        for path in &self.files {
            // Only one of the two may exist.
            let _ = fs::remove_file(part(path));
            let _ = fs::remove_file(path);
        }
    }
}

impl Output {
    /// Writes a record.
    pub fn record<'f>(&mut self, fields: impl IntoIterator<Item = &'f [u8]>) -> Result<(), Error> {
        let write = || {
            for field in fields {
                self.writer.write_field(field)?;
            }
            self.writer.write_record(None::<&[u8]>)
        };
        write().map_err(|error| Error::write(&self.path, &error))
    }

    /// Flushes all records to disk.
    pub fn finish(self) -> Result<(), Error> {
        let Self { path, writer } = self;
        let buffer = writer
            .into_inner()
            .map_err(|error| Error::write(&path, error.error()))?;
        let file = buffer
            .into_inner()
            .map_err(|error| Error::write(&path, error.error()))?;
        file.sync_all().map_err(|error| Error::write(&path, &error))
    }
}

fn part(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    PathBuf::from(name)
}
