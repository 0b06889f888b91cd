//! A whole check of small data against any baseline: hostile statistics and constraints give a report, but never a
//! panic.
//!
//! Input, separated by 0x1c: `statistics.json`, `constraints.json`, a CSV file with a header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::analysis::{Known, Rules, check};
use monitor::checks;
use monitor::documents::{Constraints, Statistics, Violations};
use monitor::read::{Format, Options, Source};
use monitor_fuzz::{parts, write};
use std::num::NonZero;

fuzz_target!(|data: &[u8]| {
    let parts = parts(data);
    let [statistics, constraints, table, ..] = parts.as_slice() else {
        return;
    };
    let [statistics, constraints] = [*statistics, *constraints].map(String::from_utf8_lossy);
    let Ok(statistics) = Statistics::parse(&statistics, "statistics.json") else {
        return;
    };
    let suggested = checks::suggest(&statistics);
    let constraints = match Constraints::parse(&constraints, "constraints.json") {
        Ok(parsed) => parsed.document,
        Err(_) => suggested,
    };
    let known = Known {
        statistics: Some(statistics),
        constraints,
        warnings: Vec::new(),
        profile: None,
        predictions: None,
    };
    let source = Source {
        path: write(&[table]).join("0"),
        format: Format::Csv {
            header: true,
            delimiter: b',',
        },
    };
    let options = Options {
        threads: NonZero::new(1),
        names: Some(known.names()),
        expected: known.expected(),
        ..Options::default()
    };
    let Ok(profile) = monitor::read::profile(&source, &options) else {
        return;
    };
    for reference_ranks in [false, true] {
        let mut rules = Rules::default();
        rules.settings.minimum_rows = 1;
        rules.switches.reference_ranks = reference_ranks;
        let checked = check(&known, profile.clone(), &rules);
        let text = checked.violations.to_text();
        assert_eq!(Violations::parse(&text, "violations").unwrap(), checked.violations);
        let drift = serde_json::to_string(&checked.drift).unwrap();
        assert!(drift.starts_with('{'));
    }
});
