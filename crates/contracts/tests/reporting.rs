//! The reporting files that the queries are tested with match the contract's rows, field by field.
#![allow(missing_docs, clippy::unwrap_used)]

use contracts::reporting::{DriftRow, GroundTruthRow, PredictionRow, RunRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

fn files(table: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let folder = "../../tests/queries/data/used-car-price/reporting";
    let mut found = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(table),
        &mut found,
    );
    assert!(!found.is_empty(), "no file of {table}");
    found
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if path.extension().is_some_and(|end| end == "gz") {
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text
}

/// Every row can be read and is unchanged when written again: none has missing, additional or different fields.
fn check<T: DeserializeOwned + Serialize>(table: &str) {
    for path in files(table) {
        for line in read(&path).lines() {
            let row: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let written: Value = serde_json::to_value(row).unwrap();
            assert_eq!(
                written,
                serde_json::from_str::<Value>(line).unwrap(),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn drift() {
    check::<DriftRow>("drift");
}

#[test]
fn predictions() {
    check::<PredictionRow>("predictions");
}

#[test]
fn ground_truth() {
    check::<GroundTruthRow>("ground_truth");
}

#[test]
fn runs() {
    check::<RunRow>("runs");
}
