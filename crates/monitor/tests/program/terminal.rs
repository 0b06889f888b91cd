//! Output to the terminal, and exit codes.

use super::cars::Cars;
use super::{Desk, Ended, program};
use std::io::Read;
use std::process::Stdio;

fn desk() -> Desk {
    let desk = Desk::new(&[("a.csv", &Cars::new(51, 400).csv())]);
    desk.run("baseline a.csv --output base").expect_code(0);
    desk
}

#[test]
fn mistakes_of_usage_exit_with_1() {
    let desk = desk();
    for (arguments, expected) in [
        ("guess", "unrecognized"),
        ("check", "--baseline"),
        ("baseline a.csv", "--output"),
        ("check a.csv --baseline base --threads 0", "--threads"),
        ("check a.csv --baseline base --format xml", "parquet"),
        ("check a.csv --baseline base --delimiter ,,", "--delimiter"),
        (
            "check a.csv --baseline base --false-discovery-rate 7",
            "between 0 and 1",
        ),
        ("check a.csv --baseline base --state", "--output"),
        ("baseline a.csv --output base --segment guess", "`guess`"),
        ("baseline a.csv --output base --merge a.csv", "a.csv"),
        ("baseline a.csv --output a.csv", "name a folder"),
    ] {
        let ended = desk.run(arguments).expect_code(1);
        assert!(ended.stderr.contains(expected), "{arguments}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{arguments}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments}");
    }
}

#[test]
fn help_is_no_mistake() {
    let desk = desk();
    for arguments in [
        "--help",
        "-h",
        "help check",
        "baseline --help",
        "quality --help",
        "diff --help",
        "--version",
    ] {
        let ended = desk.run(arguments).expect_code(0);
        assert_eq!(ended.stderr, "", "{arguments}");
        assert!(
            ended.stdout.contains("drivetrain-monitor"),
            "{arguments}: {}",
            ended.stdout
        );
    }
}

const SHOWN: [&str; 3] = [
    "baseline a.csv --output base",
    "check a.csv --baseline base",
    "diff a.csv b.csv",
];

#[test]
fn without_a_terminal_there_are_no_colours() {
    let desk = desk();
    desk.file(
        "b.csv",
        Cars::new(52, 400).change("price", |_| true, |_| "9".to_owned()).csv(),
    );
    for arguments in SHOWN {
        for settings in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "xterm-256color")]] {
            let output = program()
                .current_dir(desk.path(""))
                .envs(settings.iter().copied())
                .args(arguments.split(' '))
                .output();
            let ended = Ended::of(output.unwrap());
            assert!(!ended.stdout.is_empty());
            assert!(
                !ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'),
                "{arguments}"
            );
        }
    }
}

#[test]
fn lines_are_at_most_100_columns_wide() {
    let desk = desk();
    let long = "x".repeat(300);
    let words = "words that go on ".repeat(20);
    let header = format!(
        "{long},comment,{}",
        (0..6).map(|it| format!("{it}{words}")).collect::<Vec<_>>().join(",")
    );
    let rows = |value: u32| {
        (0..300)
            .map(|_| format!("{value},{words},1,2,3,4,5,{long}\n"))
            .collect::<String>()
    };
    desk.file("a.csv", format!("{header}\n{}", rows(1)));
    desk.file("b.csv", format!("{header}\n{}", rows(2)));
    for arguments in SHOWN {
        let shown = desk.run(arguments).stdout;
        assert!(!shown.is_empty());
        for line in shown.lines() {
            assert!(line.chars().count() <= 100, "{arguments}: {line}");
            assert_eq!(line.trim_end(), line, "{arguments}");
        }
    }
}

#[test]
fn a_baseline_takes_at_most_two_lines_a_column() {
    let desk = desk();
    let shown = desk.run("baseline a.csv --output base").expect_code(0).stdout;
    // In addition, there are a header, an empty line and the size.
    assert!(shown.lines().count() <= 2 * 20 + 3, "{shown}");
    for name in super::cars::COLUMNS {
        assert!(shown.lines().any(|it| it.trim_start().starts_with(name)), "{shown}");
    }
    assert!(shown.contains("400 rows in 20 columns"), "{shown}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let desk = desk();
    let mut child = program()
        .current_dir(desk.path(""))
        .args(["check", "a.csv", "--baseline", "base", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{stderr}");
    assert_eq!(stderr, "");
}

#[test]
fn control_characters_of_data_do_not_reach_the_terminal() {
    let desk = Desk::new(&[("a.csv", "a,\"b\u{1b}[31mred\"\n1,\"x\u{1b}[2J\"\n2,\"x\u{1b}[2J\"\n")]);
    let ended = desk.run("baseline a.csv --output base").expect_code(0);
    assert!(!ended.stdout.contains('\u{1b}'), "{:?}", ended.stdout);
}

#[test]
fn what_is_asked_of_later_data_is_said_in_words() {
    let column = |present: usize| (0..2000).map(move |it| if it < present { "x" } else { "" });
    let rows = column(2000)
        .zip(column(1999))
        .zip(column(1900))
        .zip(column(1))
        .zip(column(0));
    let rows: String = rows
        .map(|((((all, most), some), few), none)| format!("{all},{most},{some},{few},{none}\n"))
        .collect();
    let desk = Desk::new(&[("a.csv", &format!("all,most,some,few,none\n{rows}"))]);
    let shown = desk.run("baseline a.csv --output base").expect_code(0).stdout;
    for (column, asked) in [
        ("all", "always there;"),
        ("most", "over 99.9 % there;"),
        ("some", "at least 95 % there;"),
        ("few", "sometimes there;"),
        ("none", "nothing: it may be missing"),
    ] {
        let line = shown.lines().find(|it| it.trim_start().starts_with(column)).unwrap();
        assert!(line.contains(asked), "{line}");
    }
}
