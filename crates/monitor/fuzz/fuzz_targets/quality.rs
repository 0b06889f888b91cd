//! Model quality: lines of captured data and of ground truth, attributes, and the results from all of them.
//!
//! Input, separated by 0x1c: an attribute for the prediction, one for the ground truth, a file of ground truth, and
//! lines of captured data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::quality::capture::GroundTruthLine;
use monitor::quality::csv::Records;
use monitor::quality::pair::Parameters;
use monitor::quality::{Accumulator, Attributes, CaptureRecord, GroundTruthIndex, Merge, ProblemType};
use monitor_fuzz::parts;

const PROBLEMS: [ProblemType; 3] = [
    ProblemType::Regression,
    ProblemType::BinaryClassification,
    ProblemType::MulticlassClassification,
];

fn pairs(attributes: &Attributes, problem: ProblemType, record: &CaptureRecord<'_>, line: &str) {
    let mut found = attributes.of_capture(record).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    found.extend(
        attributes
            .of_json(&value)
            .into_iter()
            .flatten()
            .map(|it| monitor::quality::Pair {
                inference: it.inference.map(|it| it.into_owned().into()),
                probability: it.probability.map(|it| it.into_owned().into()),
                threshold: it.threshold,
                truth: it.truth.map(|it| it.into_owned().into()),
            }),
    );
    let (mut whole, mut first, mut second) = (
        Accumulator::new(problem),
        Accumulator::new(problem),
        Accumulator::new(problem),
    );
    let mut taken = 0;
    for (row, pair) in (0..).zip(&found) {
        taken += u64::from(whole.push(row, pair).is_ok());
        let part = if row % 2 == 0 { &mut first } else { &mut second };
        let _ = part.push(row, pair);
    }
    assert_eq!(whole.rows(), taken);
    let metrics = whole.metrics();
    assert_eq!(metrics.problem, problem);
    if first.merge(second).is_ok() {
        assert_eq!(first.rows(), taken);
        first.metrics();
    }
}

fuzz_target!(|data: &[u8]| {
    let parts = parts(data);
    let [inference, truth, table, lines, ..] = parts.as_slice() else {
        return;
    };
    let texts = [*inference, *truth, *lines].map(String::from_utf8_lossy);
    let [inference, truth, lines] = &texts;
    let mut index = GroundTruthIndex::default();
    index.read("truth", table);
    if let Ok(table) = std::str::from_utf8(table) {
        let mut records = Records::new(table);
        let mut last = records.line();
        while let Some(record) = records.next() {
            assert!(!record.is_empty());
            assert!(records.line() >= last);
            last = records.line();
        }
    }
    for problem in PROBLEMS {
        let parameters = Parameters {
            inference: Some(inference),
            probability: (problem == ProblemType::BinaryClassification).then_some(inference),
            threshold: Some(truth),
            ground_truth: Some(truth),
        };
        let without = Parameters {
            threshold: None,
            ..parameters
        };
        for parameters in [parameters, without] {
            let Ok(attributes) = Attributes::parse(problem, &parameters) else {
                continue;
            };
            for record in Records::new(&String::from_utf8_lossy(table)) {
                if let Ok(columns) = attributes.columns(None::<&[&str]>, record.len()) {
                    let _ = columns.pair(&record);
                }
            }
            for line in lines.split('\n') {
                if let Ok(mut record) = CaptureRecord::parse(line.as_bytes()) {
                    Merge::new(&index).join(&mut record);
                    pairs(&attributes, problem, &record, line);
                }
            }
        }
    }
    let mut merge = Merge::new(&index);
    for (number, line) in (1..).zip(lines.split('\n')) {
        let _ = GroundTruthLine::parse(line.as_bytes());
        if let Some(merged) = merge.line("captured", number, line) {
            let before = CaptureRecord::parse(line.trim().as_bytes()).unwrap();
            let after = CaptureRecord::parse(merged.as_bytes()).expect("a merged line can't be read");
            assert!(after.ground_truth.is_some());
            assert_eq!(
                (&before.event_id, &before.inference_id),
                (&after.event_id, &after.inference_id)
            );
            assert_eq!((&before.input, &before.output), (&after.input, &after.output));
            // A merged line stays as it is.
            assert_eq!(merge.line("merged", number, &merged).as_deref(), Some(&*merged));
        }
    }
    let counts = merge.counts();
    assert!(counts.joined <= counts.records);
});
