//! `demo`: from real listings to two deployed models and an answered request, and on to a scored batch, monitored
//! traffic, a retrained model and the dashboard.

use super::up;
use crate::demo::model_summary;
use crate::demo::summary::{self, Summary};
use crate::demo::{data, lifecycle, predict};
use crate::layout::Layout;
use crate::stack::{self, Wishes};
use crate::{deploy, tick};
use anyhow::Result;
use aws_sdk_s3::primitives::ByteStream;
use clap::Args;
use contracts::places::{Drop, RunPlaces};
use drivetrain::api::{Answer, Api};
use drivetrain::local::State;
use drivetrain::target::Target;
use drivetrain::{document, drops, follow, mails, onboarding, ui};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The use case of the demo.
const DOCUMENT: &str = "models/used-car-price.yaml";
/// The name under which its data is dropped: always the same, so that a second demo drops a new version.
const DROPPED_AS: &str = "listings.csv";
/// For how many listings predictions are requested.
const LISTINGS: usize = 5;

/// Run everything once: from a dropped file of listings to trained, judged, deployed, monitored and retrained models.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask demo             leaves the stack up; again, it trains against the champions\n  \
    cargo xtask demo --exit      stops everything; the exit code says whether all went well\n\n\
    It writes summary.json and dashboard.html to target/demo.")]
pub struct Demo {
    /// Stop the stack at the end, even one that was up before
    #[arg(long)]
    exit: bool,

    #[command(flatten)]
    wishes: Wishes,
}

impl Demo {
    /// Runs the demo; the exit code is 0 when every model serves as it should.
    ///
    /// # Errors
    /// A phase fails before there is anything to sum up.
    pub async fn run(&self, layout: &Layout) -> Result<ExitCode> {
        let _lock = layout.lock_instance()?;
        let began = Instant::now();
        let (started, phases) = up::bring_up(layout, &self.wishes).await?;
        // If it is interrupted here, what was started is stopped; if it ends here, the stack is left up for people to
        // look at.
        let outcome = self.on_stack(layout, &started.state, phases, began).await;
        started.keep();
        if self.exit {
            stack::remove(layout)?;
            ui::say("The local stack is down again.");
        }
        outcome
    }

    async fn on_stack(&self, layout: &Layout, state: &State, phases: up::Phases, began: Instant) -> Result<ExitCode> {
        let mut seconds: BTreeMap<&'static str, f64> = phases;
        let mut clock = Instant::now();
        let mut lap = |name: &'static str, seconds: &mut BTreeMap<&'static str, f64>| {
            seconds.insert(name, up::round(clock.elapsed()));
            clock = Instant::now();
        };
        let listings = data::ensure(layout).await?;
        lap("data", &mut seconds);

        let target = Target::local(state.clone(), deploy::STACK);
        let platform = target.platform().await?;
        let document = document::sound(&layout.path(DOCUMENT))?;
        for line in onboarding::store(&target, &platform, &document).await? {
            ui::say(&format!("{:<12} {line}", "Onboard"));
        }
        lap("onboard", &mut seconds);

        let use_case = &document.use_case;
        let models: Vec<String> = document.models.iter().map(|model| model.name.clone()).collect();
        let inbox = state.inbox();
        let mark = mails::mark(&inbox);
        let body = ByteStream::from_path(&listings).await?;
        let dropped = drops::put(&target, &platform, use_case, Drop::Training, DROPPED_AS, body).await?;
        let run = dropped.run_id;
        ui::say(&format!("{:<12} {DROPPED_AS} for training starts run {run}\n", "Drop"));
        let followed = follow::follow(&target, &platform, use_case, &run, &models).await?;
        ui::say(&format!(
            "\n{:<12} {} after {:.1} s",
            "Run", followed.status, followed.seconds
        ));
        if let Some(failure) = &followed.failure {
            ui::say(&format!("  {failure}"));
        }
        lap("drop_to_end", &mut seconds);

        let mut summary = Summary {
            run_id: run.to_string(),
            execution: String::new(),
            models: Vec::new(),
            holdout_rows: None,
            naive_rmse: None,
            rmse_ratio: None,
            predictions: Vec::new(),
            notifications: Vec::new(),
            lifecycle: None,
            seconds: BTreeMap::new(),
            states: BTreeMap::new(),
        };
        for model in &models {
            summary
                .models
                .push(model_summary::of_model(&target, &platform, use_case, &run, model).await?);
        }
        (summary.naive_rmse, summary.holdout_rows) = summary::naive(&target, &platform, use_case, &run).await?;
        summary.rmse_ratio = summary::ratio(&summary.models, summary.naive_rmse);

        let api = Api::of(&target, &platform).await?;
        let place = RunPlaces { use_case, run_id: &run }.data("holdout") + "holdout.csv";
        match target.get(&platform.bucket, &place).await? {
            None => ui::say("no predictions: the run has no holdout to take listings from"),
            Some(holdout) => {
                let listings = predict::listings(&holdout, &document, LISTINGS)?;
                match predict::ask(&api, use_case, &listings).await {
                    Ok((answer, took)) => {
                        ui::say(&format!(
                            "\nPredictions for listings that no model has seen ({} ms):\n",
                            took.as_millis()
                        ));
                        ui::say(&predictions_shown(&document, &listings, &answer));
                        summary.predictions = summary::predictions(&listings, &answer);
                    }
                    Err(error) => ui::error(&error.context("no prediction")),
                }
            }
        }
        lap("prediction", &mut seconds);

        summary.notifications = mails::of_run(&inbox, mark, &run.to_string(), Duration::from_secs(30)).await?;
        ui::say("Notification e-mails:\n");
        for mail in &summary.notifications {
            ui::say(&mails::shown(mail));
        }
        lap("notifications", &mut seconds);

        let stage = lifecycle::Stage {
            target: &target,
            platform: &platform,
            document: &document,
            api: &api,
            inbox: &inbox,
        };
        // On a stack that has been up for a while, the tick would take a chapter's traffic into a window of its own.
        tick::hold(state).await?;
        let played = stage.play(layout).await;
        tick::resume(state).await?;
        match played {
            Ok(played) => summary.lifecycle = Some(played),
            Err(error) => ui::error(&error.context("the second half of the demo failed")),
        }
        lap("lifecycle", &mut seconds);

        summary.seconds = seconds;
        summary.execution(&followed);
        summary.seconds.insert("total", up::round(began.elapsed()));
        let file = layout.demo().join("summary.json");
        summary.write(&file)?;
        ui::say("Summary:\n");
        ui::say(&summary.shown());
        ui::say(&format!(
            "  Run         s3://{bucket}/{use_case}/runs/{run}/\n  \
             API         {api}   (x-api-key: {key})\n  \
             AWS         {endpoint}   (eval \"$(cargo xtask env)\")\n  \
             Dashboard   {dashboard}   (drivetrain dashboard)\n  \
             Summary     {file}\n\n\
             After `eval \"$(cargo xtask env)\"`: `drivetrain status`, `drivetrain logs`, `drivetrain --help`.",
            api = api.predictions(use_case),
            key = api.key,
            dashboard = summary
                .lifecycle
                .as_ref()
                .map_or_else(|| "none".to_owned(), |it| layout.shown(&it.dashboard).to_string()),
            bucket = platform.bucket,
            endpoint = state.endpoint(),
            file = layout.shown(&file),
        ));
        Ok(if summary.is_good() {
            ExitCode::SUCCESS
        } else {
            ui::say("\nNot everything went as it should: see `drivetrain --on local logs` and the messages above.");
            ExitCode::FAILURE
        })
    }
}

fn predictions_shown(document: &contracts::UseCase, listings: &[predict::Listing], answer: &Answer) -> String {
    let described = document.schema.columns.iter().take(4);
    let mut header: Vec<String> = described.clone().map(|column| column.name.clone()).collect();
    header.push(format!("actual {}", document.target.name));
    header.extend(document.models.iter().map(|model| model.name.clone()));
    header.push("answer".to_owned());
    let mut rows = vec![header];
    for (listing, prediction) in listings.iter().zip(&answer.predictions) {
        let mut row: Vec<String> = described
            .clone()
            .map(|column| match listing.instance.get(&column.name) {
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => "-".to_owned(),
            })
            .collect();
        row.push(format!("{:.0}", listing.actual));
        for model in &document.models {
            row.push(
                prediction
                    .of(&model.name)
                    .map_or_else(|| "-".to_owned(), |value| format!("{value:.0}")),
            );
        }
        row.push(format!("{:.0}", prediction.value));
        rows.push(row);
    }
    ui::table(&rows)
}
