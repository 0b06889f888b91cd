//! Makes the pages of the tests' documents, to look at: `cargo run -p report --example dashboard -- FOLDER`.

use std::path::PathBuf;

use contracts::RunId;
use contracts::reporting::RunRow;
use drift_document::Drift;
use report::About;
use report::dashboard::Dashboard;
use report::index::{Index, Listed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("name the folder that the pages go to")?;
    std::fs::create_dir_all(&folder)?;

    let dashboard: Dashboard = serde_json::from_str(include_str!("../tests/dashboard.json"))?;
    std::fs::write(folder.join("dashboard.html"), report::dashboard::html(&dashboard)?)?;

    let decided = decided(dashboard.clone());
    std::fs::write(folder.join("decided.html"), report::dashboard::html(&decided)?)?;
    let listed = |use_case: &str, overview| Listed {
        use_case: use_case.to_owned(),
        overview,
        address: "dashboard.html".to_owned(),
    };
    let index = Index {
        stack: "drivetrain".to_owned(),
        generated_at: dashboard.generated_at,
        use_cases: vec![
            listed("fresh", None),
            listed("used-car-price", Some(report::dashboard::overview(&decided))),
        ],
    };
    std::fs::write(folder.join("index.html"), report::index::html(&index)?)?;

    let fresh = Dashboard {
        models: dashboard.models.iter().map(|model| untrained(&model.name)).collect(),
        runs: Vec::new(),
        ..dashboard.clone()
    };
    std::fs::write(folder.join("fresh.html"), report::dashboard::html(&fresh)?)?;
    std::fs::write(
        folder.join("hostile.html"),
        report::dashboard::html(&hostile(dashboard))?,
    )?;

    let drift: Drift = serde_json::from_str(include_str!("../tests/drift.json"))?;
    let about = About {
        title: "used-car-price".to_owned(),
        subtitle: "Data quality of 2026-11-22".to_owned(),
        generated_at: "2026-11-23T04:05:06Z".parse()?,
        links: Vec::new(),
    };
    std::fs::write(folder.join("drift.html"), report::drift::html(&drift, &about)?)?;
    Ok(())
}

/// The same with a candidate that is held, one that was rejected by a person, and a file that was refused.
fn decided(mut dashboard: Dashboard) -> Dashboard {
    let judged = dashboard.runs.iter().find(|run| run.decision.is_some()).cloned();
    let Some(judged) = judged else { return dashboard };
    let held = |run_id: &str, model: &str| RunRow {
        model: model.to_owned(),
        run_id: RunId::parse(run_id).unwrap_or_else(|| judged.run_id.clone()),
        decision: Some("held".to_owned()),
        reason: Some("it is better than the champion by no more than chance: people decide".to_owned()),
        champion_rmse: Some(8203.1),
        naive_rmse: Some(15_020.4),
        started_at: Some(dashboard.generated_at),
        stopped_at: Some(dashboard.generated_at),
        ..judged.clone()
    };
    let other = held("20261119t150000z-00000002", "linear-learner");
    let rejected = RunRow {
        kind: "promotion".to_owned(),
        started_by: "person".to_owned(),
        source: Some(other.run_id.to_string()),
        decision: Some("rejected-by-person".to_owned()),
        reason: Some("kim has rejected it: too few vans".to_owned()),
        ..other.clone()
    };
    let refused = RunRow {
        model: "all".to_owned(),
        status: "REFUSED".to_owned(),
        source: Some("s3://bucket/used-car-price/training/incoming/listings-without-a-price.csv".to_owned()),
        decision: Some("refused".to_owned()),
        reason: Some("has no column `price_USD`. Drop a file with all columns of the document.".to_owned()),
        ..held("20261119t160000z-00000003", "all")
    };
    let held = held("20261119t140000z-00000001", "xgboost");
    dashboard.runs.extend([held, other, rejected, refused]);
    dashboard
}

/// A model before its first run.
fn untrained(name: &str) -> report::dashboard::Model {
    report::dashboard::Model {
        name: name.to_owned(),
        champion: None,
        history: Vec::new(),
        drift: Vec::new(),
        errors: Vec::new(),
        older_windows: 0,
    }
}

/// The same with names that try to become HTML, script, or a line of one.
fn hostile(mut dashboard: Dashboard) -> Dashboard {
    const NAME: &str = "</script><img src=x onerror=\"window.hit=1\">\u{2028}'\"&amp;<b>";
    for model in &mut dashboard.models {
        model.name = format!("{NAME}{}", model.name);
        for row in &mut model.drift {
            row.feature = row.feature.take().map(|name| format!("{NAME}{name}"));
            row.reason = NAME.to_owned();
            row.data_uri = NAME.to_owned();
            for summary in [&mut row.baseline, &mut row.current].into_iter().flatten() {
                for category in &mut summary.categories {
                    category.value = format!("{NAME}{}", category.value);
                }
            }
        }
    }
    for run in &mut dashboard.runs {
        run.model = format!("{NAME}{}", run.model);
        run.reason = Some(NAME.to_owned());
        run.source = Some(NAME.to_owned());
        run.started_by = NAME.to_owned();
    }
    dashboard.unreadable.push(report::dashboard::Unreadable {
        uri: NAME.to_owned(),
        reason: NAME.to_owned(),
    });
    dashboard.description = NAME.to_owned();
    dashboard
}
