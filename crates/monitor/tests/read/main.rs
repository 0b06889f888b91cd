//! Reading files of every format into profiles, as a caller sees it.

#![allow(clippy::unwrap_used)] // What fails here fails the test, as it should.

mod agreement;
mod capture;
mod csv;
mod detect;
mod json_lines;
mod parquet;
mod random;
mod records;

use monitor::documents::statistics::{Detail, Feature, InferredType, Numeric, Text};
use monitor::profile::{Oddity, Profile};
use monitor::read::{Error, Format, Options, Source};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const CSV: Format = Format::Csv {
    header: true,
    delimiter: b',',
};

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn read_with(path: &Path, format: &Format, options: &Options<'_>) -> Result<Profile, Error> {
    let source = Source {
        path: path.to_owned(),
        format: format.clone(),
    };
    monitor::read::profile(&source, options)
}

fn read_all(files: &[(&str, &[u8])], format: &Format) -> Result<Profile, String> {
    let folder = folder(files);
    // Without the folder, because its name differs from run to run.
    read_with(folder.path(), format, &Options::default()).map_err(|error| relative(&error.to_string(), folder.path()))
}

fn relative(text: &str, folder: &Path) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

fn read(content: impl AsRef<[u8]>, format: &Format) -> Result<Profile, String> {
    read_all(&[("data", content.as_ref())], format)
}

/// The irregularities, with their number and first place.
fn notes(profile: &Profile) -> Vec<(Oddity, u64, &str)> {
    let mut notes: Vec<_> = profile.notes.iter().collect();
    for (_, _, place) in &mut notes {
        *place = place.rsplit('/').next().unwrap();
    }
    notes
}

fn names(profile: &Profile) -> Vec<&str> {
    profile.columns.iter().map(|it| it.name.as_str()).collect()
}

fn feature(profile: &Profile, name: &str) -> Feature {
    let features = profile.statistics().features;
    features.into_iter().find(|it| it.name == name).unwrap()
}

fn numeric(profile: &Profile, name: &str) -> Numeric {
    match feature(profile, name).detail {
        Detail::Numeric(numeric) => numeric,
        Detail::Text(text) => panic!("`{name}` is text: {text:?}"),
    }
}

/// The values of a text column and their counts.
fn counts(profile: &Profile, name: &str) -> Vec<(String, u64)> {
    match feature(profile, name).detail {
        Detail::Text(Text { categories, .. }) => {
            let all = categories.unwrap();
            all.into_iter().map(|it| (it.value, it.count)).collect()
        }
        Detail::Numeric(numeric) => panic!("`{name}` is numeric: {numeric:?}"),
    }
}

/// Type, number of values and number of missing values of each column.
fn shape(profile: &Profile) -> Vec<(String, InferredType, u64, u64)> {
    let features = profile.statistics().features;
    let shape = |it: Feature| (it.name, it.inferred_type, it.present, it.missing);
    features.into_iter().map(shape).collect()
}

/// A file next to the tests.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read").join(name)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    // Like the zstd program; libraries leave checksums out by default.
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
