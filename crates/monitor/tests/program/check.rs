//! `baseline` and `check`.

use super::cars::{Cars, times};
use super::{Desk, names_where};
use serde_json::{Value, json};

/// A baseline of `before`, and the file `today.csv`.
fn desk(before: &Cars, today: &Cars) -> Desk {
    let desk = Desk::new(&[("before.csv", &before.csv()), ("today.csv", &today.csv())]);
    desk.run("baseline before.csv --output base").expect_code(0);
    desk
}

#[test]
fn halves_by_chance_are_clean() {
    for seed in 1..=5 {
        let [a, b] = Cars::new(seed, 6000).halves(seed);
        let desk = desk(&a, &b);
        let ended = desk.run("check today.csv --baseline base").expect_code(0);
        assert!(
            ended.stdout.starts_with("CLEAN  nothing drifted in 20 columns"),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn a_planted_shift_is_named_first() {
    let [a, b] = Cars::new(11, 8000).halves(11);
    let shifted = b
        .change(
            "l_per_100km",
            |_| true,
            |it| format!("{:.2}", it.parse::<f64>().unwrap() + 0.6),
        )
        .change("price", |_| true, times(3.0));
    let desk = desk(&a, &shifted);
    let ended = desk.run("check today.csv --baseline base --json").expect_code(2);
    let drift = ended.json();
    let names: Vec<&Value> = drift["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names[..2], ["price", "l_per_100km"]);
    assert_eq!(
        names_where(&drift["features"], "status", "drifted"),
        ["price", "l_per_100km"]
    );
    assert_eq!(
        drift["features"][0]["decisive"].as_str().map(str::is_empty),
        Some(false)
    );

    let shown = desk.run("check today.csv --baseline base").expect_code(2).stdout;
    assert!(shown.starts_with("DRIFTED  price drifted most: median "), "{shown}");
    let place = |name: &str| shown.lines().position(|it| it.trim_start().starts_with(name));
    assert!(
        place("price") < place("l_per_100km") && place("price").is_some(),
        "{shown}"
    );
    assert!(shown.contains("18 columns clean"), "{shown}");
}

#[test]
fn violations_are_counted_by_kind() {
    let cars = Cars::new(12, 1000);
    let today = Cars::new(12, 1000).change("owners", |row| row[0].ends_with('7'), |_| String::new());
    let shown = desk(&cars, &today).run("check today.csv --baseline base").stdout;
    let line = shown.lines().find(|it| it.contains("completeness_check"));
    assert!(
        line.is_some_and(|it| it.contains('1') && it.contains("owners")),
        "{shown}"
    );
}

#[test]
fn few_rows_are_no_clean_bill() {
    let cars = Cars::new(13, 1000);
    let few = Cars::new(14, 30);
    let ended = desk(&cars, &few).run("check today.csv --baseline base").expect_code(3);
    assert!(ended.stdout.starts_with("INSUFFICIENT DATA  "), "{}", ended.stdout);
    assert!(ended.stdout.contains("30 rows"), "{}", ended.stdout);
}

#[test]
fn a_missing_column_is_drift() {
    let cars = Cars::new(15, 400);
    let desk = desk(&cars, &cars);
    let without: String = cars
        .csv()
        .lines()
        .map(|it| it.rsplit_once(',').unwrap().0.to_owned() + "\n")
        .collect();
    desk.file("today.csv", without);
    let ended = desk.run("check today.csv --baseline base").expect_code(2);
    assert!(
        ended.stdout.starts_with("DRIFTED  the column longitude is missing"),
        "{}",
        ended.stdout
    );
    let line = ended.stdout.lines().find(|it| it.contains("missing_column_check"));
    assert!(line.is_some_and(|it| it.ends_with("longitude")), "{}", ended.stdout);
}

#[test]
fn all_documents_go_into_the_folder_that_is_named() {
    let cars = Cars::new(16, 300);
    let desk = desk(&cars, &cars);
    let arguments = "check today.csv --baseline base --output out/today --state --html look/at/me.html --json";
    let ended = desk.run(arguments).expect_code(0);
    assert_eq!(ended.json(), desk.json("out/today/drift.json"));
    assert_eq!(
        desk.json("out/today/constraint_violations.json"),
        json!({"violations": []})
    );
    for file in ["statistics.json", "constraints.json", "state.zst", "report.html"] {
        assert!(desk.path("out/today").join(file).exists(), "{file}");
    }
    let report = std::fs::read_to_string(desk.path("look/at/me.html")).unwrap();
    assert!(report.contains("odometer_mi"));
    // No partial file is left.
    let hidden = std::fs::read_dir(desk.path("out/today")).unwrap();
    assert!(
        !hidden
            .into_iter()
            .any(|it| it.unwrap().file_name().to_string_lossy().starts_with('.'))
    );
}

#[test]
fn a_baseline_can_be_printed_as_json() {
    let desk = Desk::new(&[("a.csv", "a,b\n1,x\n2,y\n")]);
    let both = desk.run("baseline a.csv --output base --json").expect_code(0).json();
    assert_eq!(both["statistics"], desk.json("base/statistics.json"));
    assert_eq!(both["constraints"], desk.json("base/constraints.json"));
}

#[track_caller]
fn assert_close(name: &str, one: &Value, other: &Value) {
    let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
    assert!((one - other).abs() <= 1e-12 * one.abs(), "{name}: {one} and {other}");
}

#[test]
fn yesterday_and_today_are_what_both_files_are_together() {
    let (yesterday, today) = (Cars::new(21, 1000), Cars::new(22, 900));
    let both = Cars {
        rows: [yesterday.rows.clone(), today.rows.clone()].concat(),
    };
    let desk = Desk::new(&[
        ("yesterday.csv", &yesterday.csv()),
        ("today.csv", &today.csv()),
        ("both.csv", &both.csv()),
    ]);
    desk.run("baseline yesterday.csv --output yesterday --state")
        .expect_code(0);
    desk.run("baseline today.csv --merge yesterday/state.zst --output merged")
        .expect_code(0);
    desk.run("baseline both.csv --output both").expect_code(0);
    let (merged, whole) = (desk.json("merged/statistics.json"), desk.json("both/statistics.json"));
    assert_eq!(merged["dataset"], whole["dataset"]);
    let of = |document: &Value| document["features"].as_array().unwrap().clone();
    for (one, other) in of(&merged).iter().zip(of(&whole).iter()) {
        let name = one["name"].as_str().unwrap();
        assert_eq!(one["name"], other["name"]);
        assert_eq!(one["inferred_type"], other["inferred_type"]);
        let (a, b) = (&one["numerical_statistics"], &other["numerical_statistics"]);
        if a.is_null() {
            assert_eq!(one["string_statistics"], other["string_statistics"], "{name}");
            continue;
        }
        assert_eq!(
            (&a["common"], &a["min"], &a["max"]),
            (&b["common"], &b["min"], &b["max"]),
            "{name}"
        );
        for member in ["mean", "sum", "std_dev"] {
            assert_close(&format!("{member} of {name}"), &a[member], &b[member]);
        }
        let buckets = |it: &Value| it["distribution"]["kll"]["buckets"].clone();
        assert_eq!(buckets(a), buckets(b), "{name}");
    }
    assert_eq!(desk.json("merged/constraints.json"), desk.json("both/constraints.json"));
    // A check can also continue a state.
    let arguments = "check today.csv --baseline both --merge yesterday/state.zst --json";
    let drift = desk.run(arguments).expect_code(0).json();
    assert_eq!(drift["samples"]["current_rows"], 1900);
}

#[test]
fn drift_within_one_segment_is_found() {
    let in_oregon = |row: &[String]| row.contains(&"OR".to_owned());
    let today = Cars::new(32, 5000).change("latitude", in_oregon, |it| {
        format!("{:.6}", it.parse::<f64>().unwrap() + 3.0)
    });
    let desk = Desk::new(&[("before.csv", &Cars::new(31, 5000).csv()), ("today.csv", &today.csv())]);
    desk.run("baseline before.csv --output base --segment state")
        .expect_code(0);
    let drift = desk
        .run("check today.csv --baseline base --segment state --json")
        .expect_code(2)
        .json();
    let segments = &drift["segments"];
    assert_eq!(segments.as_array().unwrap().len(), 5);
    let drifted: Vec<&Value> = segments
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["outcome"] == "drifted")
        .collect();
    assert_eq!(drifted.len(), 1);
    assert_eq!(drifted[0]["value"], "OR");
    assert_eq!(names_where(&drifted[0]["features"], "status", "drifted"), ["latitude"]);
    let shown = desk
        .run("check today.csv --baseline base --segment state")
        .expect_code(2)
        .stdout;
    assert!(shown.contains("state = OR  latitude drifted within these "), "{shown}");
}

#[test]
fn a_segment_that_the_baseline_lacks_is_a_warning() {
    let cars = Cars::new(33, 300);
    let ended = desk(&cars, &cars)
        .run("check today.csv --baseline base --segment state")
        .expect_code(0);
    assert!(
        ended.stderr.contains("the baseline has no segments"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_baseline_that_is_none_is_an_error_that_says_what_to_do() {
    let cars = Cars::new(34, 300);
    let desk = desk(&cars, &cars);
    desk.file("empty/readme", "");
    desk.file("scored.csv", "label,predicted\n1,2\n3,4\n");
    desk.run("quality scored.csv --prediction predicted --label label --output quality");
    for (folder, expected) in [
        ("nowhere", "`drivetrain-monitor baseline DATA --output FOLDER`"),
        ("empty", "`drivetrain-monitor baseline DATA --output FOLDER`"),
        ("quality", "model quality"),
    ] {
        let ended = desk.run(&format!("check today.csv --baseline {folder}")).expect_code(1);
        assert!(
            ended.stderr.starts_with("error: ") && ended.stderr.contains(expected),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn edited_constraints_are_warned_of_where_they_say_nothing() {
    let cars = Cars::new(35, 300);
    let desk = desk(&cars, &cars);
    let text = std::fs::read_to_string(desk.path("base/constraints.json")).unwrap();
    desk.file(
        "base/constraints.json",
        text.replacen("\"completeness\"", "\"compleetness\"", 1),
    );
    let ended = desk.run("check today.csv --baseline base");
    assert!(ended.stderr.contains("constraints.json:"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("compleetness") || ended.stderr.contains("completeness"),
        "{}",
        ended.stderr
    );
}

#[test]
fn tabs_and_missing_headers_are_understood() {
    let desk = Desk::new(&[("a.tsv", "1\tx\n2\ty\n"), ("b.txt", "1;x\n2;y\n")]);
    let names = |it: &Value| -> Vec<String> {
        let features = it["statistics"]["features"].as_array().unwrap().iter();
        features.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    for arguments in [
        "baseline a.tsv --no-header --delimiter \\t --output base --json",
        "baseline b.txt --format csv --no-header --delimiter ; --output base --json",
    ] {
        assert_eq!(names(&desk.run(arguments).expect_code(0).json()), ["_c0", "_c1"]);
    }
}

#[test]
fn a_state_of_other_data_is_not_taken_for_the_baselines() {
    let desk = desk(&Cars::new(36, 500), &Cars::new(37, 500));
    desk.run("baseline before.csv --output base --segment state")
        .expect_code(0);
    // Made again without segments, while the first state is still there.
    desk.run("baseline today.csv --output base").expect_code(0);
    let ended = desk.run("check today.csv --baseline base --segment state --json");
    assert!(ended.stderr.contains("state.zst is of other data"), "{}", ended.stderr);
    let segments = ended.json()["segments"].as_array().unwrap().clone();
    assert!(
        segments.iter().all(|it| it["samples"]["baseline_rows"] == 0),
        "{segments:?}"
    );
}
