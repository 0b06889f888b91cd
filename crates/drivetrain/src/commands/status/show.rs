//! The tables.

use super::endpoints::Endpoint;
use super::local::Local;
use super::queued::Queued;
use super::report::Report;
use super::runs::Run;
use super::use_cases::UseCaseStatus;
use super::waiting::Waiting;
use crate::target::Reach;
use crate::ui;
use contracts::RunState;
use contracts::notice::plain;
use std::time::Duration;

/// The longest reason of a cell; `--json` has all of it.
const REASON: usize = 100;

/// Everything, for people.
pub fn text(report: &Report) -> String {
    let mut parts = vec![format!("Stack `{}`: {}\n", report.stack, report.place)];
    if let Some(local) = &report.local {
        parts.push(of_local(local));
    }
    parts.push(of_use_cases(&report.use_cases, &report.reach));
    parts.push(of_runs(&report.runs));
    if !report.queued.is_empty() {
        parts.push(of_queued(&report.queued));
    }
    if !report.waiting.is_empty() {
        parts.push(of_waiting(&report.waiting));
    }
    parts.push(of_endpoints(&report.endpoints));
    if let Some(url) = &report.prediction_api {
        parts.push(format!("Prediction API: {url}"));
    }
    parts.join("\n")
}

fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut all = vec![header.map(str::to_owned).to_vec()];
    all.extend(rows.into_iter().map(|row| row.to_vec()));
    ui::table(&all)
}

/// The processes of a local stack.
pub fn of_local(local: &Local) -> String {
    let rows = local.processes.iter().map(|it| {
        [
            it.name.clone(),
            if it.alive { "running" } else { "ended" }.to_owned(),
            it.pid.to_string(),
            it.address.clone(),
            it.log.display().to_string(),
        ]
    });
    table(["process", "state", "pid", "address", "log"], rows.collect())
}

fn of_use_cases(use_cases: &[UseCaseStatus], reach: &Reach) -> String {
    if use_cases.is_empty() {
        return format!("No use cases: `{}` stores one.\n", reach.command("onboard DOCUMENT"));
    }
    let mut rows = Vec::new();
    let mut below = String::new();
    for of in use_cases {
        if !of.onboarded {
            below += &format!("  {} is offboarded; its data is still there.\n", of.use_case);
        }
        for model in &of.models {
            let none = || "none".to_owned();
            rows.push([
                of.use_case.clone(),
                model.model.clone(),
                model.champion.as_ref().map_or_else(none, ToString::to_string),
                model.decision.as_ref().map_or_else(none, |it| it.decision.to_string()),
                match model.held.as_slice() {
                    [] => none(),
                    held => held.len().to_string(),
                },
                match &model.monitoring {
                    None => none(),
                    Some(_) if model.looked_at_another() => "none yet".to_owned(),
                    Some(seen) => seen.outcome.as_str().to_owned(),
                },
            ]);
            for run in &model.held {
                let words = format!("approve {} {} {run} --reason '…'", of.use_case, model.model);
                below += &format!("  held: `{}`, or `reject`\n", reach.command(&words));
            }
            if let Some(other) = &model.other_columns {
                below += &format!("  {} {}: {}\n", of.use_case, model.model, plain(&other.told()));
            }
            let decided = model.decision.as_ref().map(|it| (it.decision.to_string(), &it.reason));
            let seen = model.monitoring.as_ref().filter(|it| it.outcome.as_str() != "clean");
            let seen = seen.map(|it| match &it.champion {
                Some(former) if model.looked_at_another() => (
                    format!("{} (former champion {former})", it.outcome.as_str()),
                    &it.reason,
                ),
                _ => (it.outcome.as_str().to_owned(), &it.reason),
            });
            for (word, reason) in decided.filter(|(word, _)| word != "exported").into_iter().chain(seen) {
                below += &format!("  {} {}: {word}: {}\n", of.use_case, model.model, shortened(reason));
            }
        }
        for refused in &of.refused {
            below += &format!(
                "  refused {}: {}\n",
                refused.at.strftime("%F %T"),
                plain(&refused.reason)
            );
        }
    }
    let header = ["use case", "model", "champion", "last decision", "held", "live data"];
    let table = if rows.is_empty() {
        String::new()
    } else {
        table(header, rows)
    };
    table + &below
}

fn of_runs(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "No runs.\n".to_owned();
    }
    let rows = runs.iter().map(|run| {
        let mut came = run.result.clone();
        came.extend(run.failure.as_deref().map(shortened));
        [
            run.run_id.clone(),
            run.kind.as_str().to_owned(),
            run.use_case.clone().unwrap_or_default(),
            run.models.join(", "),
            run.status.clone(),
            run.began_at.strftime("%F %T").to_string(),
            ui::seconds(Duration::from_secs_f64(run.seconds)),
            came.join(", "),
        ]
    });
    let header = [
        "run",
        "kind",
        "use case",
        "models",
        "status",
        "began (UTC)",
        "took",
        "what came of it",
    ];
    table(header, rows.collect())
}

fn of_queued(queued: &[Queued]) -> String {
    let rows = queued.iter().map(|it| {
        let state = match (&it.state, &it.overtaken_by) {
            (RunState::Overtaken, Some(by)) => format!("overtaken by {by}"),
            (RunState::Overtaken, None) => "overtaken".to_owned(),
            _ => "queued".to_owned(),
        };
        let file = it
            .file
            .as_deref()
            .map_or_else(|| "retraining by drift".to_owned(), plain);
        [it.run_id.to_string(), it.use_case.clone(), state, file]
    });
    table(["queued run", "use case", "state", "file"], rows.collect())
}

fn of_waiting(waiting: &[Waiting]) -> String {
    let rows = waiting.iter().map(|it| {
        [
            it.run_id.to_string(),
            it.use_case.clone(),
            ui::age(Duration::from_secs(it.age_seconds.unsigned_abs())),
            it.file.as_deref().map(plain).unwrap_or_default(),
            it.reason.as_deref().map(shortened).unwrap_or_default(),
        ]
    });
    table(
        ["waits for a champion", "use case", "for", "file", "reason"],
        rows.collect(),
    )
}

fn of_endpoints(endpoints: &[Endpoint]) -> String {
    if endpoints.is_empty() {
        return "No endpoints.\n".to_owned();
    }
    let rows = endpoints.iter().map(|it| {
        [
            it.name.clone(),
            it.status.clone(),
            it.model.clone().unwrap_or_else(|| "no champion names it".to_owned()),
        ]
    });
    let gone = endpoints.iter().filter(|it| it.is_missing());
    let below: String = gone
        .map(|it| {
            format!(
                "  endpoint {} is gone: the tick makes it again within 15 minutes\n",
                it.name
            )
        })
        .collect();
    table(["endpoint", "status", "of"], rows.collect()) + &below
}

/// A reason that fits beside others.
fn shortened(reason: &str) -> String {
    let reason = plain(reason);
    if reason.chars().count() <= REASON {
        return reason;
    }
    reason.chars().take(REASON).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::super::use_cases::{LastDecision, LastLook, ModelStatus, Refused};
    use super::*;
    use contracts::champion::OtherColumns;
    use contracts::{RunId, Verdict};

    fn run(text: &str) -> RunId {
        RunId::parse(text).unwrap()
    }

    #[test]
    fn everything_that_somebody_should_know_is_shown() {
        let model = |name: &str, decision| ModelStatus {
            model: name.to_owned(),
            champion: Some(run("20261122t183000z-ab12cd34")),
            since: None,
            other_columns: (name == "a").then(|| OtherColumns {
                removed: vec!["area".to_owned()],
                added: Vec::new(),
            }),
            endpoint: Some(format!("drivetrain--cars-{name}")),
            decision: Some(LastDecision {
                run_id: run("20261123t183000z-00000001"),
                decision,
                reason: "4400 is no better than 4390".to_owned(),
            }),
            held: if decision == Verdict::Held {
                vec![run("20261123t183000z-00000001")]
            } else {
                Vec::new()
            },
            monitoring: (name == "a").then(|| LastLook {
                run_id: run("20261122t200000z-00000005"),
                at: "2026-11-22T20:00:00Z".parse().unwrap(),
                champion: Some(run("20261120t183000z-00000006")),
                outcome: contracts::drift::Outcome::Drifted,
                reason: "year has drifted".to_owned(),
            }),
        };
        let report = Report {
            stack: "drivetrain".to_owned(),
            reach: Reach::default(),
            place: "AWS account 123456789012, eu-west-1, stack drivetrain".to_owned(),
            local: None,
            use_cases: vec![UseCaseStatus {
                use_case: "cars".to_owned(),
                onboarded: true,
                models: vec![model("a", Verdict::RejectedChampion), model("b", Verdict::Held)],
                refused: vec![Refused {
                    at: "2026-11-23T18:30:00Z".parse().unwrap(),
                    run_id: None,
                    reason: "s3://b/cars/x.csv is empty. Drop\nanother.".to_owned(),
                }],
                runs: std::collections::BTreeSet::new(),
            }],
            runs: Vec::new(),
            queued: vec![Queued {
                run_id: run("20261124t183000z-00000002"),
                use_case: "cars".to_owned(),
                state: RunState::Overtaken,
                file: Some("cars/training/incoming/y.csv".to_owned()),
                overtaken_by: Some(run("20261124t193000z-00000003")),
            }],
            waiting: vec![Waiting {
                run_id: run("20261124t183000z-00000004"),
                use_case: "cars".to_owned(),
                file: Some("cars/scoring/incoming/z.csv".to_owned()),
                since: "2026-11-24T18:30:00Z".parse().unwrap(),
                age_seconds: 26 * 3_600,
                reason: Some("no champion of this schema yet: b".to_owned()),
            }],
            endpoints: vec![Endpoint {
                name: "drivetrain--cars-a".to_owned(),
                status: "InService".to_owned(),
                model: None,
                changed_at: None,
            }],
            prediction_api: Some("https://api".to_owned()),
        };
        insta::assert_snapshot!(text(&report));
    }
}
