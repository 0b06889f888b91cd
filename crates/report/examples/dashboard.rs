//! Makes the pages of the tests' documents, to look at: `cargo run -p report --example dashboard -- FOLDER`.

use std::path::PathBuf;

use drift_document::Drift;
use report::About;
use report::dashboard::Dashboard;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("name the folder that the pages go to")?;
    std::fs::create_dir_all(&folder)?;

    let dashboard: Dashboard = serde_json::from_str(include_str!("../tests/dashboard.json"))?;
    std::fs::write(folder.join("dashboard.html"), report::dashboard::html(&dashboard)?)?;

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
