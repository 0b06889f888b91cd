//! Combined batches: the output, that no row is lost, and the error for each mismatch between the files.

#![allow(clippy::unwrap_used)] // What fails here fails the test, as it should.

use combine::{Error, merge};
use contracts::scoring::{CombineJob, ScoringSummary};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const RUN: &str = "20261122t183000z-0123abcd";

fn job(prediction: &Value) -> CombineJob {
    let model = |name: &str| json!({"name": name, "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 1});
    let champion = |name: &str| json!({"version": "20261121t183000z-89abcdef", "endpoint_config": format!("dev-cars-{name}-89abcdef-conf-0")});
    serde_json::from_value(json!({
        "run_id": RUN,
        "scored_at": "2026-11-22T18:30:00Z",
        "models": {"xgboost": champion("xgboost"), "line": champion("line")},
        "document": {
            "use_case": "cars",
            "schema": {"columns": [
                {"name": "year", "type": "integer", "required": true},
                {"name": "model", "type": "category"},
            ]},
            "target": {"name": "price"},
            "models": [model("xgboost"), model("line")],
            "scoring": {"carry": ["key"]},
            "prediction": prediction,
        },
    }))
    .unwrap()
}

/// A batch of four rows, the second of which is set aside.
struct Batch {
    folder: TempDir,
    job: CombineJob,
}

impl Batch {
    fn new() -> Self {
        let batch = Self {
            folder: tempfile::tempdir().unwrap(),
            job: job(&json!({"combine": {"rule": "max"}})),
        };
        let dropped = "\u{feff}key,note, model ,year\r\na,\"two\r\nlines\",c-class,2015.0\r\nb,,c-class,soon\r\n\r\n\
                       c,\"say \"\"x\"\"\",,2016\r\nd, kept  ,e,02017";
        batch.write("data/cars.csv", dropped);
        let rows = format!("{RUN}#0,a,2015,c-class\n{RUN}#2,c,2016,\n{RUN}#3,d,2017,e\n");
        batch.write("rows/rows.csv", &rows);
        let rejects = "row,reason,key,note, model ,year\n1,`year` must be a whole number,b,,c-class,soon\n";
        batch.write("rejects/rejects.csv", rejects);
        let summary = json!({"rows": 4, "usable": 3, "rejected": 1, "reasons": [["`year` must be a whole number", 1]], "file": "cars.csv"});
        batch.write("prepared/summary.json", &summary.to_string());
        batch.scores("xgboost", &["13000.50", "9e3", "7000.125"]);
        batch.scores("line", &["12000", "9500", "-1.0"]);
        batch
    }

    fn scores(&self, model: &str, answers: &[&str; 3]) {
        let keys = [(0, "a"), (2, "c"), (3, "d")];
        let lines = keys.iter().zip(answers);
        let text: String = lines
            .map(|((row, key), answer)| format!("{RUN}#{row},{key},{answer}\n"))
            .collect();
        self.write(&format!("scores/{model}/rows.csv.out"), &text);
    }

    fn input(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("input").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.input(name).parent().unwrap()).unwrap();
        fs::write(self.input(name), text).unwrap();
    }

    /// Replaces a text in an input.
    fn mend(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.input(name)).unwrap();
        assert!(text.contains(from), "{name} holds no {from}");
        self.write(name, &text.replacen(from, to, 1));
    }

    fn merge(&self) -> Result<ScoringSummary, Error> {
        merge(
            &self.job,
            &self.folder.path().join("input"),
            &self.folder.path().join("output"),
        )
    }

    /// The files of the output, by name.
    fn outputs(&self) -> BTreeMap<String, String> {
        fn walk(folder: &Path, base: &Path, found: &mut BTreeMap<String, String>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, base, found);
                } else {
                    let name = path.strip_prefix(base).unwrap().display().to_string();
                    found.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        let (output, mut found) = (self.folder.path().join("output"), BTreeMap::new());
        walk(&output, &output, &mut found);
        found
    }

    /// Runs the program and returns its error; checks that nothing is left behind.
    fn error(&self) -> String {
        let error = self.merge().unwrap_err();
        assert_eq!(self.outputs(), BTreeMap::new());
        format!("{}: {error}", error.error_type())
    }
}

#[test]
fn a_batch_comes_out_whole() {
    let batch = Batch::new();
    batch.merge().unwrap();
    let text: String = batch
        .outputs()
        .iter()
        .map(|(name, text)| format!("--- {name}\n{}\n", text.replace('\r', "\\r")))
        .collect();
    insta::assert_snapshot!(text);
    // A second run gives the same output.
    let first = batch.outputs();
    batch.merge().unwrap();
    assert_eq!(batch.outputs(), first);
}

#[test]
fn without_rejects_there_is_no_file_of_them() {
    let batch = Batch::new();
    batch.mend("data/cars.csv", "b,,c-class,soon\r\n", "");
    for (from, to) in [("#2", "#1"), ("#3", "#2")] {
        for name in [
            "rows/rows.csv",
            "scores/line/rows.csv.out",
            "scores/xgboost/rows.csv.out",
        ] {
            batch.mend(name, from, to);
        }
    }
    batch.write("rejects/rejects.csv", "row,reason,key,note,model,year\n");
    let summary = json!({"rows": 3, "usable": 3, "rejected": 0, "reasons": [], "file": "cars.csv"});
    batch.write("prepared/summary.json", &summary.to_string());
    assert_eq!(batch.merge().unwrap().scored, 3);
    assert!(!batch.outputs().contains_key("scored/rejects.csv"));
}

#[test]
fn mended_rejects_may_be_dropped_again() {
    let batch = Batch::new();
    fs::rename(batch.input("data/cars.csv"), batch.input("data/rejects.csv")).unwrap();
    batch.mend("prepared/summary.json", "cars.csv", "rejects.csv");
    batch.merge().unwrap();
    let outputs = batch.outputs();
    assert!(outputs["scored/scored-rejects.csv"].starts_with("key,note"));
    assert!(outputs["scored/rejects.csv"].starts_with("row,reason"));
}

#[test]
fn a_model_that_did_not_answer_is_left_out_or_fails_the_batch() {
    let mut batch = Batch::new();
    fs::remove_file(batch.input("scores/line/rows.csv.out")).unwrap();
    let summary = batch.merge().unwrap();
    assert_eq!(summary.absent, ["line"]);
    assert_eq!(summary.models.keys().collect::<Vec<_>>(), ["xgboost"]);
    let outputs = batch.outputs();
    assert!(outputs["scored/cars.csv"].starts_with("key,note, model ,year,inference_id,xgboost,price_predicted\n"));
    assert!(!outputs.keys().any(|name| name.contains("line")));

    fs::remove_dir_all(batch.folder.path().join("output")).unwrap();
    for (prediction, missing) in [
        (json!({"when_a_model_fails": "fail"}), "`line`"),
        (json!({"combine": {"rule": "model", "model": "line"}}), "`line`"),
    ] {
        batch.job = job(&prediction);
        let error = batch.error();
        let why = "there is no scores/line/rows.csv.out: look at its transform job";
        assert!(
            error.starts_with(&format!("ModelMissing: {missing} ({why}) did not answer")),
            "{error}"
        );
    }
    fs::remove_dir_all(batch.input("scores")).unwrap();
    batch.job = job(&json!({}));
    let error = batch.error();
    assert!(
        error.starts_with("ModelMissing: `xgboost` (there is no scores/xgboost/"),
        "{error}"
    );
    assert!(error.contains("), `line` (there is no scores/line/"), "{error}");
}

#[test]
fn the_summary_says_why_a_model_took_no_part() {
    let mut batch = Batch::new();
    // The job has failed after it had answered some files; those answers don't count.
    let cause = json!({"TransformJobName": "j", "FailureReason": "ClientError: See job logs: 413", "TransformJobStatus": "Failed"});
    let outcomes = json!([
        {"model": "line", "outcome": "failed", "error": {"Error": "States.TaskFailed", "Cause": cause.to_string()}},
        {"model": "xgboost", "outcome": "scored"},
    ]);
    batch.write("scores/outcomes.json", &outcomes.to_string());
    let summary = batch.merge().unwrap();
    assert_eq!(summary.absent, ["line"]);
    assert_eq!(
        summary.absent_because,
        BTreeMap::from([(
            "line".to_owned(),
            "ClientError: See job logs: 413 (transform job j)".to_owned()
        )])
    );
    fs::remove_dir_all(batch.folder.path().join("output")).unwrap();
    batch.job = job(&json!({"when_a_model_fails": "fail"}));
    let error = batch.error();
    assert!(
        error.starts_with("ModelMissing: `line` (ClientError: See job logs: 413"),
        "{error}"
    );

    let mut batch = Batch::new();
    batch.job.models.remove("line");
    let because = batch.merge().unwrap().absent_because;
    assert_eq!(
        because["line"],
        "it had no champion for these columns when the run began"
    );

    batch.write("scores/outcomes.json", "{}");
    fs::remove_dir_all(batch.folder.path().join("output")).unwrap();
    assert!(
        batch
            .error()
            .starts_with("FileUnreadable: scores/outcomes.json can't be read")
    );
}

#[test]
fn rows_in_several_files_are_one_batch() {
    let whole = Batch::new();
    let expected = whole.merge().unwrap();
    let batch = Batch::new();
    for (folder, suffix) in [("rows", ""), ("scores/line", ".out"), ("scores/xgboost", ".out")] {
        let name = format!("{folder}/rows.csv{suffix}");
        let text = fs::read_to_string(batch.input(&name)).unwrap();
        fs::remove_file(batch.input(&name)).unwrap();
        for (number, line) in text.lines().enumerate() {
            batch.write(&format!("{folder}/rows-{number:08}.csv{suffix}"), &format!("{line}\n"));
        }
    }
    assert_eq!(batch.merge().unwrap(), expected);
    assert_eq!(batch.outputs(), whole.outputs());

    fs::remove_dir_all(batch.folder.path().join("output")).unwrap();
    batch.mend("scores/line/rows-00000001.csv.out", "#2", "#3");
    let error = batch.error();
    assert!(
        error.starts_with("ScoresInvalid: scores/line/rows-00000001.csv.out line 1: row"),
        "{error}"
    );
    fs::remove_file(batch.input("scores/line/rows-00000002.csv.out")).unwrap();
    let why = &batch.merge().unwrap().absent_because["line"];
    assert_eq!(
        why,
        "there is no scores/line/rows-00000002.csv.out: look at its transform job"
    );
}

#[test]
fn a_function_of_the_users_own_combines_no_files() {
    let mut batch = Batch::new();
    batch.job = job(&json!({"combine": {"rule": "lambda", "function": "dev-combine-cars"}}));
    assert!(batch.error().starts_with("RuleUnsupported: "));
}

#[test]
fn every_disagreement_names_file_line_and_row() {
    let line = "scores/line/rows.csv.out";
    for (name, from, to, expected) in [
        // Scores.
        (
            line,
            format!("{RUN}#2,c,9500\n"),
            String::new(),
            format!("ScoresInvalid: {line} line 2: row `{RUN}#2` is due, and it answers `{RUN}#3`"),
        ),
        (
            line,
            format!("{RUN}#2,c,9500\n"),
            format!("{RUN}#2,c,9500\n{RUN}#2,c,9500\n"),
            format!("ScoresInvalid: {line} line 3: row `{RUN}#3` is due, and it answers `{RUN}#2`"),
        ),
        (
            line,
            format!("{RUN}#3,d,-1.0\n"),
            String::new(),
            format!("ScoresInvalid: the end of {line}: there is no answer to row `{RUN}#3`"),
        ),
        (
            line,
            "-1.0\n".to_owned(),
            format!("-1.0\n{RUN}#9,x,1\n"),
            format!("ScoresInvalid: {line} line 4: every row has its answer, and it answers `{RUN}#9`"),
        ),
        (
            line,
            "#2".to_owned(),
            "#1".to_owned(),
            format!("ScoresInvalid: {line} line 2: row `{RUN}#2` is due, and it answers `{RUN}#1`"),
        ),
        (
            line,
            "9500".to_owned(),
            "nan".to_owned(),
            format!("ScoresInvalid: {line} line 2: the answer to row `{RUN}#2` is not a finite number: `nan`"),
        ),
        (
            line,
            "9500".to_owned(),
            "1e999".to_owned(),
            format!("ScoresInvalid: {line} line 2: the answer to row `{RUN}#2` is not a finite number: `1e999`"),
        ),
        (
            line,
            "9500".to_owned(),
            String::new(),
            format!("ScoresInvalid: {line} line 2: the answer to row `{RUN}#2` is not a finite number: ``"),
        ),
        (
            line,
            ",9500".to_owned(),
            String::new(),
            format!("ScoresInvalid: {line} line 2: the answer to row `{RUN}#2` has 2 fields instead of 3"),
        ),
        // Rows and rejects.
        (
            "rows/rows.csv",
            "#2".to_owned(),
            "#7".to_owned(),
            format!(
                "RowsMismatch: row `{RUN}#2` of cars.csv is neither to be scored, where `{RUN}#7` (rows/rows.csv line 2) is next, nor set aside, where the end of rejects/rejects.csv is next"
            ),
        ),
        (
            "rows/rows.csv",
            "2017,e\n".to_owned(),
            format!("2017,e\n{RUN}#4,e,2018,f\n"),
            format!(
                "RowsMismatch: `{RUN}#4` (rows/rows.csv line 4) is to be scored, and the dropped file has no such row"
            ),
        ),
        (
            "rows/rows.csv",
            "2017,e".to_owned(),
            "2017".to_owned(),
            format!(
                "RowsMismatch: row `{RUN}#3` has 3 fields (rows/rows.csv line 3) instead of id, 1 carried and 2 raw"
            ),
        ),
        (
            "rejects/rejects.csv",
            "\n1,".to_owned(),
            "\n2,".to_owned(),
            format!("RowsMismatch: row `{RUN}#1` of cars.csv is neither"),
        ),
        (
            "rejects/rejects.csv",
            "soon\n".to_owned(),
            "soon\n9,x\n".to_owned(),
            "RowsMismatch: `9` (rejects/rejects.csv line 3) is set aside, and the dropped file has no such row"
                .to_owned(),
        ),
        (
            "data/cars.csv",
            "02017".to_owned(),
            "02017\r\ne,,,2018".to_owned(),
            format!("RowsMismatch: row `{RUN}#4` of cars.csv is neither"),
        ),
        (
            "prepared/summary.json",
            "\"rows\":4".to_owned(),
            "\"rows\":5".to_owned(),
            "RowsMismatch: cars.csv has 3 rows to score and 1 set aside; Prepare counted 3 and 1 of 5".to_owned(),
        ),
        (
            "prepared/summary.json",
            "cars.csv".to_owned(),
            "../cars.csv".to_owned(),
            "FileUnreadable: prepared/summary.json can't be read: `../cars.csv` is not the name of a file".to_owned(),
        ),
        (
            "prepared/summary.json",
            "cars.csv".to_owned(),
            "other.csv".to_owned(),
            "InputMissing: there is no other.csv".to_owned(),
        ),
    ] {
        let batch = Batch::new();
        batch.mend(name, &from, &to);
        let error = batch.error();
        assert!(error.starts_with(&expected), "{error}\nis not\n{expected}");
    }
}

#[test]
fn an_input_that_lacks_is_named() {
    for name in ["rows/", "rejects/rejects.csv", "prepared/summary.json"] {
        let batch = Batch::new();
        let file = if name == "rows/" { "rows/rows.csv" } else { name };
        fs::remove_file(batch.input(file)).unwrap();
        let error = batch.error();
        assert!(error.starts_with("InputMissing: ") && error.contains(name), "{error}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let batch = Batch::new();
    fs::write(batch.folder.path().join("output"), "no folder").unwrap();
    let error = batch.merge().unwrap_err();
    assert_eq!(error.error_type(), "WriteFailed");
}

/// Files whose rows hold one note each, and which of the rows are set aside.
fn files() -> impl Strategy<Value = Vec<(Vec<u8>, bool)>> {
    let note = prop_oneof![
        "[a-z,\"\r\n ;\u{e9}\u{feff}#]{0,12}".prop_map(String::into_bytes),
        // Some of it is invalid UTF-8.
        proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec((note, proptest::bool::weighted(0.3)), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_row_is_lost_or_doubled(rows in files(), quote_all: bool, newline in "\n|\r\n") {
        let batch = Batch::new();
        let terminator = if newline == "\n" { csv::Terminator::Any(b'\n') } else { csv::Terminator::CRLF };
        let style = if quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut dropped = csv::WriterBuilder::new().quote_style(style).terminator(terminator).from_writer(Vec::new());
        dropped.write_record(["note", "key", "year", "model"]).unwrap();
        let (mut prepared, mut rejects, mut scores) = (String::new(), "row,reason\n".to_owned(), String::new());
        let mut expected = Vec::new();
        for (number, (note, rejected)) in rows.iter().enumerate() {
            dropped.write_record([note.as_slice(), b"k", b"2015", b"c"]).unwrap();
            if *rejected {
                rejects += &format!("{number},bad\n");
            } else {
                prepared += &format!("{RUN}#{number},k,2015,c\n");
                scores += &format!("{RUN}#{number},k,{number}.5\n");
                let (id, value) = (format!("{RUN}#{number}"), format!("{number}.5"));
                expected.push([note.clone(), b"k".into(), b"2015".into(), b"c".into(), id.into_bytes(), value.clone().into_bytes(), value.clone().into_bytes(), value.into_bytes()]);
            }
        }
        fs::write(batch.input("data/cars.csv"), dropped.into_inner().unwrap()).unwrap();
        batch.write("rows/rows.csv", &prepared);
        batch.write("rejects/rejects.csv", &rejects);
        batch.write("scores/line/rows.csv.out", &scores);
        batch.write("scores/xgboost/rows.csv.out", &scores);
        let summary = json!({"rows": rows.len(), "usable": expected.len(), "rejected": rows.len() - expected.len(), "reasons": [], "file": "cars.csv"});
        batch.write("prepared/summary.json", &summary.to_string());
        batch.merge().unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(batch.folder.path().join("output/scored/cars.csv")).unwrap();
        let found: Vec<Vec<Vec<u8>>> = reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
        prop_assert_eq!(&found[1..], &expected[..]);
        let lines = |name: &str| fs::read_to_string(batch.folder.path().join("output").join(name)).unwrap().lines().count();
        prop_assert_eq!(lines(&format!("capture/dev-cars-line-89abcdef-conf-0/batch/{RUN}.csv")), 1 + expected.len());
    }
}

#[test]
fn a_file_that_is_no_plain_csv_comes_from_its_copy() {
    let batch = Batch::new();
    let expected = {
        batch.merge().unwrap();
        batch.outputs()
    };
    let batch = Batch::new();
    fs::rename(batch.input("data/cars.csv"), batch.input("prepared/cars.csv")).unwrap();
    batch.write("data/cars.parquet", "PAR1");
    let told = r#""plain":false,"unreadable":[{"column":"year","values":4,"unreadable":1,"examples":["soon"]}],"file""#;
    batch.mend("prepared/summary.json", "\"file\"", told);
    assert_eq!(batch.merge().unwrap().unreadable[0].column, "year");
    assert_eq!(batch.outputs()["scored/cars.csv"], expected["scored/cars.csv"]);
}
