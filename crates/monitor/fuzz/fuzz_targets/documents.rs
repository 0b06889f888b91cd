//! The contract's documents: any text is read, or refused with a place in it; a document that was read is written so
//! that it reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::documents::statistics::Detail;
use monitor::documents::text::pretty;
use monitor::documents::{Constraints, DocumentError, Statistics, Violations, json};
use monitor::quality::{ProblemType, QualityConstraints};

/// Checks that the error's place lies in the text.
fn within(text: &str, error: &DocumentError) {
    let (line, column) = (error.line as usize, error.column as usize);
    let found = text.split('\n').nth(line - 1).expect("no such line");
    assert!(column >= 1 && column <= found.chars().count() + 1, "{error}");
    assert!(!error.what.is_empty());
}

/// Whether doubles and the contract's integers can represent all figures exactly.
fn exact(statistics: &Statistics) -> bool {
    let small = |count: u64| count < 1 << 53;
    small(statistics.rows)
        && statistics.features.iter().all(|it| {
            let detail = match &it.detail {
                Detail::Numeric(numeric) => {
                    let figures = [numeric.mean, numeric.sum, numeric.std_dev, numeric.min, numeric.max];
                    let mut buckets = numeric.buckets.iter();
                    !figures.iter().any(|it| it.is_nan())
                        && !numeric.levels.iter().flatten().any(|it| it.is_nan())
                        && buckets.all(|it| !(it.lower_bound.is_nan() || it.upper_bound.is_nan() || it.count.is_nan()))
                }
                Detail::Text(text) => {
                    let mut counts = text.categories.iter().flatten().map(|it| it.count);
                    small(text.distinct_count) && counts.all(small)
                }
            };
            detail && small(it.present) && small(it.missing)
        })
}

fn quality(text: &str) {
    let Ok(value) = serde_json::from_str(text) else {
        return;
    };
    for problem in [
        ProblemType::Regression,
        ProblemType::BinaryClassification,
        ProblemType::MulticlassClassification,
    ] {
        match QualityConstraints::from_value(&value, problem) {
            Ok(constraints) => {
                let written = pretty(&constraints.to_json());
                let value = serde_json::from_str(&written).unwrap();
                let again = QualityConstraints::from_value(&value, problem).unwrap();
                // Compared as texts, because NaN is not equal to itself.
                assert_eq!(format!("{again:?}"), format!("{constraints:?}"));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let text = match json::utf8(data, "file") {
        Ok(text) => text,
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            return;
        }
    };
    match json::parse(text, "file") {
        Ok(_) => {}
        Err(error) => {
            within(text, &error);
            // No other document is more lenient than this one.
            assert!(Statistics::parse(text, "file").is_err());
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err() || error.what.contains("nested"));
            return;
        }
    }
    match Statistics::parse(text, "file") {
        Ok(statistics) => {
            let written = statistics.to_text();
            let again = Statistics::parse(&written, "file").unwrap();
            assert_eq!(again.to_text(), written);
            if exact(&statistics) {
                assert_eq!(again, statistics);
            }
        }
        Err(error) => within(text, &error),
    }
    match Constraints::parse(text, "file") {
        Ok(parsed) => {
            let written = parsed.document.to_text();
            let again = Constraints::parse(&written, "file").unwrap();
            assert_eq!(again.document, parsed.document);
            assert!(again.warnings.iter().all(|it| it.message.contains("is there twice")));
            let lines = text.split('\n').count() as u64;
            let mut last = 0;
            for warning in &parsed.warnings {
                assert!(warning.line >= last && warning.line <= lines && warning.column >= 1);
                last = warning.line;
            }
        }
        Err(error) => within(text, &error),
    }
    match Violations::parse(text, "file") {
        Ok(violations) => assert_eq!(Violations::parse(&violations.to_text(), "file").unwrap(), violations),
        Err(error) => within(text, &error),
    }
    quality(text);
});
