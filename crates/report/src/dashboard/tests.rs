use contracts::RunId;
use contracts::reporting::{ALL, DriftRow, RunRow};

use super::{Dashboard, Model, Unreadable, html, overview};

/// The dashboard of a realistic use case: two models, 31 windows, a drift in the middle.
fn used_cars() -> Dashboard {
    serde_json::from_str(include_str!("../../tests/dashboard.json")).unwrap()
}

/// What the script reads.
fn data_of(page: &str) -> serde_json::Value {
    let start = page.split("id=\"data\">").nth(1).unwrap();
    serde_json::from_str(start.split("</script>").next().unwrap()).unwrap()
}

fn main_of(page: &str) -> &str {
    let start = page.find("<main>").unwrap();
    &page[start..page.find("<script type=\"application/json\"").unwrap()]
}

#[test]
fn the_cards_say_what_is_now() {
    insta::assert_snapshot!(main_of(&html(&used_cars()).unwrap()));
}

#[test]
fn a_fresh_use_case_says_what_will_appear() {
    let mut dashboard = used_cars();
    dashboard.runs.clear();
    for model in &mut dashboard.models {
        *model = Model {
            name: model.name.clone(),
            champion: None,
            history: Vec::new(),
            drift: Vec::new(),
            errors: Vec::new(),
            older_windows: 0,
        };
    }
    let page = html(&dashboard).unwrap();
    for words in ["Not watched yet", "no run has passed the gate", "no ground truth yet"] {
        assert!(main_of(&page).contains(words), "{words}");
    }
    dashboard.models.clear();
    assert!(main_of(&html(&dashboard).unwrap()).contains("has no models"));
}

/// A row of a decision on `xgboost`.
fn decided(run_id: &str, decision: &str) -> RunRow {
    let at = RunId::parse(run_id).unwrap().time();
    RunRow {
        model: "xgboost".to_owned(),
        started_at: at,
        stopped_at: at,
        decision: Some(decision.to_owned()),
        reason: Some(format!("because of {run_id}")),
        metric_rmse: Some(7123.4),
        threshold_rmse: Some(12_000.0),
        candidate_rmse: Some(7456.7),
        champion_rmse: Some(7654.3),
        candidate_rmse_on_champions: Some(8000.1),
        champion_rmse_on_champions: Some(7000.2),
        naive_rmse: Some(15_000.0),
        ..RunRow::new(RunId::parse(run_id).unwrap(), "training", "drop", "SUCCEEDED")
    }
}

const HELD: &str = "20261119t190000z-00000001";

/// The same with what somebody has said of the held candidate.
fn said(run_id: &str, decision: &str) -> RunRow {
    RunRow {
        kind: "promotion".to_owned(),
        started_by: "person".to_owned(),
        source: Some(HELD.to_owned()),
        ..decided(run_id, decision)
    }
}

#[test]
fn holds_stand_at_the_top_until_somebody_has_decided() {
    let mut dashboard = used_cars();
    dashboard.stack = "prod".to_owned();
    dashboard.runs.push(decided(HELD, "held"));
    // One that has come to nothing leaves it held, and so does another's.
    dashboard.runs.push(said("20261119t200000z-00000002", "failed"));
    let mut other = said("20261119t200000z-00000002", "exported");
    other.model = "linear-learner".to_owned();
    dashboard.runs.push(other);
    let page = html(&dashboard).unwrap();
    let holds = section_of(&page, "holds");
    let approve = format!("drivetrain approve used-car-price xgboost {HELD} --reason &quot;...&quot; --stack prod");
    for shown in [
        approve.as_str(),
        "7,457",
        "7,654",
        "15,000",
        "12,000",
        "8,000 to 7,000",
        "because of",
    ] {
        assert!(holds.contains(shown), "{shown}: {holds}");
    }
    assert_eq!(overview(&dashboard).models[0].holds, 1);
    assert!(page.find("id=\"holds\"") < page.find("class=\"cards\""));
    for settled in ["exported", "rejected-by-person"] {
        let mut dashboard = dashboard.clone();
        dashboard.runs.push(said("20261119t210000z-00000003", settled));
        assert!(!html(&dashboard).unwrap().contains("id=\"holds\""), "{settled}");
        assert_eq!(overview(&dashboard).models[0].holds, 0);
    }
    // Nobody can approve a candidate of a model that the document doesn't have.
    dashboard.models.remove(0);
    assert!(!html(&dashboard).unwrap().contains("id=\"holds\""));
}

#[test]
fn the_last_decisions_say_by_whom_and_by_what() {
    let mut dashboard = used_cars();
    dashboard.runs.push(decided(HELD, "held"));
    dashboard
        .runs
        .push(said("20261119t210000z-00000003", "rejected-by-person"));
    let page = html(&dashboard).unwrap();
    let decisions = section_of(&page, "decisions");
    assert_eq!(decisions.matches("<bdi>xgboost</bdi>").count(), 5);
    let (newest, before) = decisions.split_once(&format!("<code class=\"source\">{HELD}")).unwrap();
    for shown in ["Rejected by a person", "started by a person", "7,457", "15,000"] {
        assert!(newest.contains(shown), "{shown}");
    }
    assert!(before.contains("Held") && before.contains("started by a dropped file"));
}

#[test]
fn refused_files_say_why_and_are_shown_once() {
    let mut dashboard = used_cars();
    for number in 0..23 {
        let run_id = format!("20261119t2000{number:02}z-00000001");
        dashboard.runs.push(RunRow {
            model: ALL.to_owned(),
            source: Some(format!("s3://b/cars/training/incoming/{number}.csv")),
            status: "REFUSED".to_owned(),
            ..decided(&run_id, "refused")
        });
    }
    let twice = dashboard.runs.last().unwrap().clone();
    dashboard.runs.push(twice);
    let page = html(&dashboard).unwrap();
    let refused = section_of(&page, "refused");
    assert_eq!(refused.matches("<li>").count(), 20);
    assert!(refused.contains("incoming&#x2f;22.csv") && refused.contains("because of") && refused.contains("3 more"));
    let last = overview(&dashboard).last_run.unwrap();
    assert_eq!(last.outcomes[0].label, "Refused");
}

#[test]
fn the_window_of_a_former_champion_says_nothing_of_the_present_one() {
    let mut dashboard = used_cars();
    let watched = overview(&dashboard)
        .models
        .iter()
        .position(|model| model.watched.is_some());
    let watched = watched.unwrap();
    let model = &mut dashboard.models[watched];
    let answered = model.drift.iter().find_map(|row| row.champion.clone()).unwrap();
    model.champion.as_mut().unwrap().run_id = answered.rerun().rerun().rerun();
    assert_eq!(overview(&dashboard).models[watched].watched, None);
}

#[test]
fn the_overview_says_what_is_now() {
    insta::assert_json_snapshot!(overview(&used_cars()));
}

/// The section of an id.
fn section_of<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.split(&format!("<section id=\"{id}\">")).nth(1).unwrap();
    start.split("</section>").next().unwrap()
}

#[test]
fn cells_stand_in_their_windows_and_lead_to_their_distributions() {
    let data = data_of(&html(&used_cars()).unwrap());
    let model = &data["models"][0];
    assert_eq!(model["windows"].as_array().unwrap().len(), 31);
    let feature = |name: &str| {
        let features = model["features"].as_array().unwrap().iter();
        features.clone().find(|feature| feature["name"] == name).unwrap()
    };
    let cell = &feature("odometer_mi")["cells"][16];
    assert_eq!((cell["s"].as_str(), cell["k"].as_str()), (Some("d"), Some("missing")));
    let detail = &data["details"][cell["d"].as_u64().unwrap() as usize];
    assert!(detail["n"]["m"].as_u64() > detail["b"]["m"].as_u64());
    assert_eq!(feature("prediction")["kind"], "prediction");
    let rmse = feature("rmse");
    assert_eq!(rmse["kind"], "quality");
    assert!(rmse["cells"][0].is_null(), "no ground truth came in the first window");
    assert!(!model["windows"][2]["errors"].as_array().unwrap().is_empty());
}

#[test]
fn a_window_that_could_not_be_analysed_is_an_error() {
    let data = data_of(&html(&used_cars()).unwrap());
    let window = &data["models"][1]["windows"][9];
    assert_eq!(window["outcome"], "error");
    assert!(
        window["analyses"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("no capacity")
    );
    let mut dashboard = used_cars();
    for row in &mut dashboard.models[0].drift {
        row.outcome = "splendid".to_owned();
    }
    let data = data_of(&html(&dashboard).unwrap());
    assert_eq!(
        data["models"][0]["windows"][0]["outcome"], "error",
        "an unknown outcome is no success"
    );
}

#[test]
fn hostile_names_stay_text() {
    const NAME: &str = "</script><script>alert(1)</script><!--\u{2028}\u{202e}'\"&amp;";
    let mut dashboard = used_cars();
    dashboard.use_case = NAME.to_owned();
    dashboard.description = NAME.to_owned();
    dashboard.target = NAME.to_owned();
    dashboard.models[0].name = NAME.to_owned();
    for row in &mut dashboard.models[0].drift {
        row.feature = row.feature.as_ref().map(|_| NAME.to_owned());
        row.metric = Some(NAME.to_owned());
        row.reason = NAME.to_owned();
        row.outcome = NAME.to_owned();
        row.data_uri = NAME.to_owned();
        let sides = [&mut row.baseline, &mut row.current].into_iter().flatten();
        for category in sides.flat_map(|side| &mut side.categories) {
            category.value = NAME.to_owned();
        }
    }
    for row in &mut dashboard.runs {
        row.reason = Some(NAME.to_owned());
        row.source = Some(NAME.to_owned());
    }
    let refused = RunRow {
        status: "REFUSED".to_owned(),
        kind: NAME.to_owned(),
        source: Some(NAME.to_owned()),
        ..decided(HELD, NAME)
    };
    let held = RunRow {
        model: NAME.to_owned(),
        reason: Some(NAME.to_owned()),
        ..decided(HELD, "held")
    };
    dashboard.runs.extend([refused, held]);
    dashboard.unreadable = vec![Unreadable {
        uri: NAME.to_owned(),
        reason: NAME.to_owned(),
    }];
    let page = html(&dashboard).unwrap();
    assert!(!page.contains("alert(1)</script>") && !page.contains("<script>alert"));
    assert_eq!(page.matches("<script").count(), 2);
    assert!(!data_text(&page).contains(['<', '>', '&', '\u{2028}']));
    // The data reads back as it was.
    assert_eq!(data_of(&page)["runs"].as_array().unwrap().len(), dashboard.runs.len());
    let uri = data_of(&page)["models"][0]["windows"][0]["data"].clone();
    assert_eq!(uri, NAME);
}

fn data_text(page: &str) -> &str {
    page.split("id=\"data\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap()
}

#[test]
fn numbers_that_are_none_are_left_out() {
    let mut dashboard = used_cars();
    for row in &mut dashboard.models[0].drift {
        row.severity = Some(f64::NAN);
        row.distance = Some(f64::INFINITY);
        row.threshold = Some(0.0);
    }
    for errors in &mut dashboard.models[0].errors {
        errors.rmse = f64::NAN;
    }
    let page = html(&dashboard).unwrap();
    assert!(
        data_of(&page)["models"][0]["features"][0]["cells"][0]
            .get("r")
            .is_none()
    );
    assert!(!main_of(&page).contains("NaN"));
}

/// The same rows again, as many windows later.
fn repeated(rows: &[DriftRow], windows: u64) -> Vec<DriftRow> {
    let first: Vec<&DriftRow> = rows.iter().filter(|row| row.window == 0).collect();
    let many = (0..windows).flat_map(|window| {
        first.iter().map(move |row| DriftRow {
            window,
            window_to: row.window_to + jiff::SignedDuration::from_hours(window as i64),
            ..(*row).clone()
        })
    });
    many.collect()
}

#[test]
fn old_windows_are_dropped_with_a_word() {
    let mut dashboard = used_cars();
    dashboard.models[0].drift = repeated(&dashboard.models[0].drift, 230);
    dashboard.models[0].older_windows = 4;
    let page = html(&dashboard).unwrap();
    let model = &data_of(&page)["models"][0];
    assert_eq!(model["windows"].as_array().unwrap().len(), 200);
    assert_eq!(
        (&model["windows"][199]["number"], &model["dropped"]),
        (&229.into(), &34.into())
    );
    assert!(main_of(&page).contains("34 older windows are not shown"));
}

#[test]
fn very_wide_data_stays_below_twenty_megabytes() {
    let mut dashboard = used_cars();
    for model in &mut dashboard.models {
        let some: Vec<DriftRow> = model.drift.iter().filter(|row| row.window == 0).cloned().collect();
        let wide = some.iter().cycle().take(500).enumerate().map(|(number, row)| DriftRow {
            feature: Some(format!("column_{number}")),
            ..row.clone()
        });
        model.drift = repeated(&wide.collect::<Vec<_>>(), 70);
    }
    let page = html(&dashboard).unwrap();
    assert!(page.len() < 20_000_000, "{}", page.len());
    let shown = data_of(&page)["models"][0]["windows"].as_array().unwrap().len();
    assert_eq!(shown, 60, "60,000 cells of 2 models with 500 columns each");
}

#[test]
fn of_a_window_that_was_made_twice_the_later_run_stays() {
    let mut dashboard = used_cars();
    let model = &mut dashboard.models[0];
    let again: Vec<DriftRow> = model
        .drift
        .iter()
        .filter(|row| row.window == 3)
        .map(|row| DriftRow {
            run_id: row.run_id.rerun(),
            data_uri: "s3://again".to_owned(),
            ..row.clone()
        })
        .collect();
    model.drift.splice(0..0, again);
    let data = data_of(&html(&dashboard).unwrap());
    assert_eq!(data["models"][0]["windows"][3]["data"], "s3://again");
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = html(&used_cars()).unwrap();
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for reference in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
}
