//! `diff`.

use super::cars::{Cars, times};
use super::{Desk, names_where};

/// Two files, the second with different prices.
fn desk() -> Desk {
    let [a, b] = Cars::new(41, 3000).halves(41);
    let b = b.change("price", |_| true, times(2.0));
    Desk::new(&[("a.csv", &a.csv()), ("b.csv", &b.csv())])
}

#[test]
fn of_files_of_results_and_of_statistics() {
    let desk = desk();
    desk.run("baseline a.csv --output a").expect_code(0);
    desk.run("baseline b.csv --output b").expect_code(0);
    for sides in [
        "a.csv b.csv",
        "a b",
        "a/statistics.json b/statistics.json",
        "a.csv b/statistics.json",
        "a b.csv",
    ] {
        let drift = desk.run(&format!("diff {sides} --json")).expect_code(2).json();
        assert_eq!(
            names_where(&drift["features"], "status", "drifted"),
            ["price"],
            "{sides}"
        );
        assert_eq!(names_where(&drift["features"], "status", "clean").len(), 19, "{sides}");
        assert_eq!(
            drift["samples"]["baseline_rows"].as_u64(),
            Some(count(&desk, "a.csv")),
            "{sides}"
        );
        assert_eq!(
            drift["samples"]["current_rows"].as_u64(),
            Some(count(&desk, "b.csv")),
            "{sides}"
        );
    }
}

fn count(desk: &Desk, name: &str) -> u64 {
    let text = std::fs::read_to_string(desk.path(name)).unwrap();
    text.lines().count() as u64 - 1
}

#[test]
fn of_a_file_and_itself_is_clean() {
    let desk = desk();
    let ended = desk.run("diff a.csv a.csv").expect_code(0);
    assert!(ended.stdout.starts_with("CLEAN  "), "{}", ended.stdout);
}

#[test]
fn a_report_can_be_had() {
    let desk = desk();
    let ended = desk.run("diff a.csv b.csv --html report.html").expect_code(2);
    assert!(ended.stderr.contains("report: report.html"), "{}", ended.stderr);
    assert!(
        std::fs::read_to_string(desk.path("report.html"))
            .unwrap()
            .contains("price")
    );
}

#[test]
fn what_is_no_result_is_an_error() {
    let desk = desk();
    desk.file("bad.json", "{");
    desk.file("scored.csv", "label,predicted\n1,2\n3,4\n");
    desk.run("quality scored.csv --prediction predicted --label label --output quality");
    for (sides, expected) in [
        ("bad.json a.csv", "bad.json:1:"),
        ("a.csv nowhere.csv", "nowhere.csv: no such file"),
        ("quality a.csv", "model quality"),
    ] {
        let ended = desk.run(&format!("diff {sides}")).expect_code(1);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}
