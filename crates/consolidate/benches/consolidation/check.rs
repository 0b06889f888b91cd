//! Check that a peer has written every row once.

use crate::data::Captures;
use anyhow::{Context as _, Result, bail};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// Checksum of a row; the sum over rows is the same in any order.
pub fn of_row(row: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(row);
    hasher.finish()
}

/// Compares `data/*.csv` and `records/*.gz` of a folder with the generated data.
///
/// # Errors
/// They differ.
pub fn check(folder: &Path, captures: &Captures) -> Result<()> {
    let (mut rows, mut checksum) = (0_u64, 0_u64);
    for path in files(&folder.join("data"), "csv")? {
        let lines = BufReader::new(File::open(&path)?).split(b'\n').skip(1);
        for line in lines {
            let line = line?;
            rows += 1;
            checksum = checksum.wrapping_add(of_row(line.strip_suffix(b"\r").unwrap_or(&line)));
        }
    }
    if rows != captures.records {
        bail!("it wrote {rows} rows, not {}", captures.records);
    }
    if checksum != captures.checksum {
        bail!("it wrote as many rows as there are, but others");
    }
    let mut lines = 0_u64;
    for path in files(&folder.join("records"), "gz")? {
        let mut reader = BufReader::with_capacity(1 << 20, MultiGzDecoder::new(File::open(&path)?));
        loop {
            let text = reader.fill_buf()?;
            if text.is_empty() {
                break;
            }
            lines += memchr::memchr_iter(b'\n', text).count() as u64;
            let read = text.len();
            reader.consume(read);
        }
    }
    if lines != captures.records {
        bail!("it wrote {lines} lines of records, not {}", captures.records);
    }
    Ok(())
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("it wrote no {}", folder.display()))?;
    let paths: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|end| end == ending));
    Ok(paths)
}
