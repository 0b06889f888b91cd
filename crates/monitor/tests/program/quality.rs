//! `quality`.

use super::Desk;
use super::cars::Random;
use serde_json::json;

/// Rows of `id,price,predicted`, with predictions that are off by up to half of `error`.
fn scored(seed: u64, rows: usize, error: f64) -> String {
    let mut random = Random::new(seed);
    let rows = (0..rows).map(|id| {
        let price = 100.0 + 50.0 * random.share();
        format!("{id},{price:.2},{:.2}\n", price + error * (random.share() - 0.5))
    });
    "id,price,predicted\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn without_a_baseline_the_metrics_are_shown() {
    let desk = Desk::new(&[("scored.csv", &scored(1, 300, 2.0))]);
    let arguments = "quality scored.csv --prediction predicted --label price --output base";
    let ended = desk.run(arguments).expect_code(0);
    for name in ["mae", "mse", "rmse", "r2", "300 rows"] {
        assert!(ended.stdout.contains(name), "{}", ended.stdout);
    }
    assert!(desk.path("base/statistics.json").exists());
    assert!(desk.path("base/prediction_statistics.json").exists());
    let both = desk.run(&format!("{arguments} --json")).expect_code(0).json();
    assert_eq!(both["statistics"], desk.json("base/statistics.json"));
    assert_eq!(both["constraints"], desk.json("base/constraints.json"));
}

#[test]
fn few_rows_are_told() {
    let desk = Desk::new(&[("scored.csv", &scored(1, 30, 2.0))]);
    let ended = desk.run("quality scored.csv --prediction 2 --label 1").expect_code(3);
    assert!(ended.stdout.contains("30 rows"), "{}", ended.stdout);
    assert!(ended.stderr.contains("at least 100 are needed"), "{}", ended.stderr);
}

#[test]
fn against_a_baseline_the_outcome_is_told() {
    let desk = Desk::new(&[
        ("before.csv", &scored(1, 500, 2.0)),
        ("good.csv", &scored(2, 500, 1.8)),
        ("bad.csv", &scored(3, 500, 30.0)),
    ]);
    let columns = "--prediction predicted --label price";
    desk.run(&format!("quality before.csv {columns} --output base"))
        .expect_code(0);
    let ended = desk
        .run(&format!("quality good.csv {columns} --baseline base"))
        .expect_code(0);
    assert!(ended.stdout.starts_with("CLEAN  "), "{}", ended.stdout);
    let arguments = format!("quality bad.csv {columns} --baseline base --output out --html out/look.html");
    let ended = desk.run(&arguments).expect_code(2);
    assert!(ended.stdout.starts_with("DRIFTED  mae is "), "{}", ended.stdout);
    let rmse = ended.stdout.lines().find(|it| it.trim_start().starts_with("rmse"));
    assert!(rmse.is_some_and(|it| it.ends_with("violated")), "{}", ended.stdout);
    let drift = desk
        .run(&format!("quality bad.csv {columns} --baseline base --json"))
        .expect_code(2)
        .json();
    assert_eq!(drift, desk.json("out/drift.json"));
    let violations = desk.json("out/constraint_violations.json");
    assert_eq!(violations["violations"].as_array().unwrap().len(), 4);
    assert!(
        std::fs::read_to_string(desk.path("out/look.html"))
            .unwrap()
            .contains("rmse")
    );
}

#[test]
fn a_report_without_a_baseline_is_refused() {
    let desk = Desk::new(&[("scored.csv", &scored(1, 300, 2.0))]);
    let ended = desk
        .run("quality scored.csv --prediction 2 --label 1 --html a.html")
        .expect_code(1);
    assert!(ended.stderr.contains("--html needs --baseline"), "{}", ended.stderr);
}

#[test]
fn captured_data_is_joined() {
    let part = |mode: &str, data: &str| json!({"observedContentType": "text/csv", "mode": mode, "data": data, "encoding": "CSV"});
    let line = |id: usize| {
        json!({
            "captureData": {"endpointInput": part("INPUT", "1"), "endpointOutput": part("OUTPUT", &id.to_string())},
            "eventMetadata": {"eventId": format!("e{id}"), "inferenceTime": "2024-05-18T00:21:45Z"},
            "eventVersion": "0"
        })
        .to_string()
            + "\n"
    };
    let truth = |id: usize| {
        json!({
            "groundTruthData": {"data": (id + 1).to_string(), "encoding": "CSV"},
            "eventMetadata": {"eventId": format!("e{id}")},
            "eventVersion": "0"
        })
        .to_string()
            + "\n"
    };
    let desk = Desk::new(&[
        ("capture/a.jsonl", &(0..200).map(line).collect::<String>()),
        ("truth/a.jsonl", &(0..150).map(truth).collect::<String>()),
        ("none/a.jsonl", "{}\n"),
    ]);
    let ended = desk
        .run("quality capture --ground-truth truth --prediction 0 --label 0")
        .expect_code(0);
    assert!(
        ended.stdout.contains("150 of 200 records have ground truth (75 %)"),
        "{}",
        ended.stdout
    );
    let mae = ended.stdout.lines().find(|it| it.trim_start().starts_with("mae"));
    assert_eq!(mae.unwrap().split_whitespace().nth(1), Some("1"), "{}", ended.stdout);
    let ended = desk
        .run("quality capture --ground-truth none --prediction 0 --label 0")
        .expect_code(1);
    assert!(
        ended.stderr.contains("there is no ground truth in none"),
        "{}",
        ended.stderr
    );
}

#[test]
fn errors_speak_of_the_arguments() {
    let desk = Desk::new(&[("scored.csv", &scored(1, 300, 2.0))]);
    for (arguments, expected) in [
        ("--prediction guess --label price", "--prediction \"guess\""),
        ("--prediction predicted --label truth", "--label \"truth\""),
        (
            "--prediction predicted --label price --problem-type Guess",
            "BinaryClassification",
        ),
        ("--label price", "--prediction"),
        (
            "--prediction predicted --probability p --label price --problem-type BinaryClassification",
            "--probability \"p\"",
        ),
    ] {
        let ended = desk.run(&format!("quality scored.csv {arguments}")).expect_code(1);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}
