//! The demo's second half: a batch is scored, an ordinary day is clean, a changed world is noticed, reported and
//! learned, and the day after is clean again.

use super::model_summary::{self, ModelSummary};
use super::predict::{self, Listing};
use super::traffic::{self, Sent};
use crate::layout::Layout;
use anyhow::{Context, Result, bail, ensure};
use aws_sdk_s3::primitives::ByteStream;
use contracts::drift::{Outcome, Status};
use contracts::monitoring::Payload;
use contracts::places::{self, MonitoringPlaces, RunPlaces};
use contracts::reporting::{DriftRow, drift_rows};
use contracts::run::{Manifest, Source};
use contracts::scoring::ScoringSummary;
use contracts::{Champion, RunId, UseCase, Window};
use drivetrain::api::Api;
use drivetrain::follow::{self, Followed};
use drivetrain::mails::{self, Mail};
use drivetrain::target::{Platform, Target};
use drivetrain::ui::{self, Step};
use drivetrain::{drops, start_run};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Rows of the batch, in addition to two that can't be scored.
const BATCH: usize = 300;
/// Rows of an ordinary day.
const ORDINARY: usize = 600;
/// The most rows of the changed days.
const CHANGED: usize = 1_500;
/// How long it may take until drift has started a training run.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it may take until ground truth is accepted.
const ACCEPTED: Duration = Duration::from_secs(60);
/// The most windows of a former champion, with its last answers, that are passed over.
const FORMER_WINDOWS: usize = 3;

/// The results of the second half.
#[derive(Debug, Serialize)]
pub struct Lifecycle {
    /// The scored batch.
    pub scoring: Scoring,
    /// One window per model and kind of traffic.
    pub monitoring: Vec<WindowSummary>,
    /// The training run that drift has started.
    pub retraining: Retraining,
    /// The dashboard's file on this machine.
    pub dashboard: PathBuf,
}

/// The results of scoring a batch.
#[derive(Debug, Serialize)]
pub struct Scoring {
    /// The scoring run.
    pub run_id: RunId,
    /// The status in which its execution ended.
    pub execution: String,
    /// Seconds from its start to its end.
    pub seconds: f64,
    /// The part of those seconds during which no job existed.
    pub seconds_outside_jobs: f64,
    /// What became of its rows.
    pub summary: ScoringSummary,
    /// Whether the API gives the same answers for the same rows, to the last digit.
    pub equals_api: bool,
}

/// A window of one model.
#[derive(Clone, Debug, Serialize)]
pub struct WindowSummary {
    /// The kind of traffic: `ordinary`, `changed`, `after`.
    pub traffic: &'static str,
    /// The model.
    pub model: String,
    /// The monitoring run.
    pub run_id: RunId,
    /// The champion that answered the traffic.
    pub champion: Option<RunId>,
    /// The worst outcome of its analyses.
    pub outcome: Outcome,
    /// The reasons, one sentence per analysis.
    pub reasons: Vec<String>,
    /// The drifted features and quality metrics, worst first.
    pub top_features: Vec<String>,
    /// How many records were analysed.
    pub records: u64,
    /// How many labels found their prediction.
    pub labels_joined: u64,
}

/// The training run that drift has started.
#[derive(Debug, Serialize)]
pub struct Retraining {
    /// The run.
    pub run_id: RunId,
    /// The monitoring run whose drift started it.
    pub found_by: RunId,
    /// The status in which its execution ended.
    pub execution: String,
    /// The files that it trained on.
    pub inputs: Vec<String>,
    /// The results for each model.
    pub models: Vec<ModelSummary>,
}

/// What the second half needs to know from the first.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The stack that the demo runs on.
    pub target: &'a Target,
    /// Where its parts are.
    pub platform: &'a Platform,
    /// The use-case document.
    pub document: &'a UseCase,
    /// The prediction API.
    pub api: &'a Api,
    /// The inbox of the stack's mails.
    pub inbox: &'a Path,
}

impl Lifecycle {
    /// Whether everything went as it should.
    pub fn is_good(&self) -> bool {
        let all = |traffic: &str, outcome: Outcome| {
            let mut windows = self.monitoring.iter().filter(|it| it.traffic == traffic).peekable();
            windows.peek().is_some() && windows.all(|it| it.outcome == outcome)
        };
        self.scoring.execution == "SUCCEEDED"
            && self.scoring.equals_api
            && all("ordinary", Outcome::Clean)
            && all("changed", Outcome::Drifted)
            && all("after", Outcome::Clean)
            && self.retraining.execution == "SUCCEEDED"
            // A linear model can't learn a changed world well; then the gate rejects it, and its champion stays.
            && self.retraining.models.iter().any(ModelSummary::serves_candidate)
            && self.retraining.models.iter().all(ModelSummary::is_good)
    }
}

impl Stage<'_> {
    /// Runs the second half.
    ///
    /// # Errors
    /// A chapter fails before there is anything to sum up.
    pub async fn play(&self, layout: &Layout) -> Result<Lifecycle> {
        let champion = self.champion(&self.document.models[0].name).await?;
        let holdout = self.holdout(&champion.run_id).await?;
        let scoring = self.score(&holdout).await?;

        ui::say("\nAn ordinary day:\n");
        let mark = mails::mark(self.inbox);
        let sent = self.send("Traffic", spread(&holdout, ORDINARY)).await?;
        self.tell("ordinary.csv", &sent).await?;
        let all: Vec<&str> = self.document.models.iter().map(|model| model.name.as_str()).collect();
        let mut monitoring = self.watch_all("ordinary", &all).await?;

        ui::say(&format!(
            "\nThe world changes: cars cost {:.0} % more, some burn {}, and many listings name no odometer:\n",
            (traffic::DEARER_BY - 1.0) * 100.0,
            traffic::NEW_FUEL
        ));
        let known = self.trained_on(&champion.run_id).await?;
        let sent = self
            .send("Traffic", traffic::shifted(spread(&known, 2 * CHANGED)))
            .await?;
        self.tell("changed.csv", &sent).await?;
        let drifted = self.watch_all("changed", &all).await?;
        self.show_mails(mark, &drifted).await?;
        let retraining = self.retrain(&drifted).await?;
        monitoring.extend(drifted);

        ui::say("\nThe day after, old and new kinds of cars as they come:\n");
        let learned = retraining.models.iter().filter(|model| model.serves_candidate());
        let learned: Vec<&str> = learned.map(|model| model.model.as_str()).collect();
        self.serves(&retraining.run_id, &learned).await?;
        let holdout = self.holdout(&retraining.run_id).await?;
        self.send("Traffic", spread(&holdout, ORDINARY)).await?;
        monitoring.extend(self.watch_all("after", &learned).await?);

        Ok(Lifecycle {
            scoring,
            monitoring,
            retraining,
            dashboard: self.dashboard(layout).await?,
        })
    }

    /// Scores a file, and requests predictions of the same rows from the API.
    async fn score(&self, holdout: &[Listing]) -> Result<Scoring> {
        let use_case = &self.document.use_case;
        let listings = spread(holdout, BATCH);
        let columns = self.document.columns();
        let file = traffic::batch(&columns, &listings)?;
        ui::say(&format!(
            "A batch of {} listings, two of which nothing can be said of:\n",
            listings.len() + 2
        ));
        let run_id = self.drop(places::Drop::Scoring, "batch.csv", file).await?;
        let arn = follow::execution_arn(&self.platform.scoring_state_machine_arn, &run_id);
        let followed = self.finished("Scoring", &run_id, &arn).await?;
        let folder = places::use_case::scored(use_case, &run_id);
        let key = format!("{folder}summary.json");
        let summary: Option<ScoringSummary> = self.target.document(self.platform, &key).await?;
        let summary = summary.with_context(|| format!("the scoring run {run_id} ended without {key}"))?;
        let scored = self
            .target
            .get(&self.platform.bucket, &format!("{folder}batch.csv"))
            .await?;
        let batch = column(
            &scored.unwrap_or_default(),
            &format!("{}_predicted", self.document.target.name),
        )?;
        let (answer, _) = predict::ask(self.api, use_case, &listings).await?;
        let live: Vec<f64> = answer.predictions.iter().map(|prediction| prediction.value).collect();
        let equals_api = batch == live;
        ui::say(&format!(
            "{:<12} {} rows scored, {} set aside{}, in s3://{}/{folder}",
            "Scored",
            summary.scored,
            summary.rejected,
            if equals_api {
                "; equal to the API's answers to the last digit"
            } else {
                "; NOT equal to the API's answers"
            },
            self.platform.bucket,
        ));
        Ok(Scoring {
            run_id,
            execution: followed.status,
            seconds: followed.seconds,
            seconds_outside_jobs: followed.seconds_outside_jobs,
            summary,
            equals_api,
        })
    }

    /// Sends listings and waits until they are captured.
    async fn send(&self, title: &str, listings: Vec<Listing>) -> Result<Sent> {
        let step = Step::begin(title);
        let all = listings.len();
        let moved = |sent: usize| step.at(&format!("{sent} of {all} listings sent"));
        let use_case = &self.document.use_case;
        let sent = traffic::send(self.api, use_case, listings, &moved).await?;
        step.at("waiting for their capture");
        self.captured().await?;
        step.done(&format!("{all} listings sent"));
        Ok(sent)
    }

    /// Waits until no more is captured: endpoints write about once a second.
    async fn captured(&self) -> Result<()> {
        let prefix = format!("{}/capture/", self.document.use_case);
        let mut before = usize::MAX;
        loop {
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            let now = self.target.keys(&self.platform.bucket, &prefix).await?.len();
            if now == before {
                return Ok(());
            }
            before = now;
        }
    }

    /// Drops ground truth, and waits until it is accepted: only accepted ground truth is joined.
    async fn tell(&self, name: &str, sent: &Sent) -> Result<()> {
        let (use_case, bucket) = (&self.document.use_case, &self.platform.bucket);
        let accepted = places::use_case::accepted_ground_truth(use_case);
        let before = self.target.keys(bucket, &accepted).await?.len();
        let key = places::incoming(use_case, places::Drop::GroundTruth) + name;
        let body = ByteStream::from(traffic::ground_truth(sent).into_bytes());
        self.target.put(bucket, &key, "text/csv", body).await?;
        let until = Instant::now() + ACCEPTED;
        while self.target.keys(bucket, &accepted).await?.len() == before {
            ensure!(
                Instant::now() < until,
                "{key} was not accepted: look at the log of start-run"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        ui::say(&format!("{:<12} what {} cars were sold for", "Truth", sent.len()));
        Ok(())
    }

    /// Monitors models at the same time, until each has a window of its present champion: drift found for one may
    /// replace the champions of all.
    async fn watch_all(&self, traffic: &'static str, models: &[&str]) -> Result<Vec<WindowSummary>> {
        let use_case = &self.document.use_case;
        let mut open = Vec::new();
        for model in models {
            open.push(self.champion(model).await?);
        }
        let mut windows = Vec::new();
        for _ in 0..=FORMER_WINDOWS {
            let mut runs = Vec::new();
            for champion in open.drain(..) {
                let run_id = start_run::monitor(self.target, use_case, &champion.model).await?;
                runs.push((champion, run_id));
            }
            for (champion, run_id) in runs {
                match self.watched(traffic, &champion, &run_id).await? {
                    Some(window) => windows.push(window),
                    None => open.push(champion),
                }
            }
            if open.is_empty() {
                return Ok(windows);
            }
        }
        let open: Vec<&str> = open.iter().map(|champion| champion.model.as_str()).collect();
        bail!("no window of the champion of {} is ready to be judged", open.join(", "))
    }

    /// The findings of a monitoring run; `None` when its window belongs to a former champion, or is not ready.
    async fn watched(
        &self,
        traffic: &'static str,
        champion: &Champion,
        run_id: &RunId,
    ) -> Result<Option<WindowSummary>> {
        let (use_case, model) = (&self.document.use_case, &champion.model);
        let arn = follow::execution_arn(&self.platform.monitor_state_machine_arn, run_id);
        self.finished("Monitor", run_id, &arn).await?;
        let places = MonitoringPlaces {
            use_case,
            model,
            run_id,
        };
        let window: Option<Window> = self.target.document(self.platform, &places.window()).await?;
        let window = window.with_context(|| format!("the monitoring run {run_id} made no window"))?;
        if window.payload != Payload::Ready || window.champion.as_ref() != Some(&champion.run_id) {
            return Ok(None);
        }
        let rows = self.drift_rows(&window).await?;
        let window = summed_up(traffic, window, &rows);
        ui::say(&format!("{:<12} {model}: {}", "", window.outcome.as_str()));
        for reason in &window.reasons {
            ui::say(&format!("{:<12}   {reason}", ""));
        }
        Ok(Some(window))
    }

    async fn drift_rows(&self, window: &Window) -> Result<Vec<DriftRow>> {
        let key = drift_rows(window);
        let bytes = self.target.get(&self.platform.bucket, &key).await?;
        let bytes = bytes.with_context(|| format!("there is no {key}"))?;
        let lines = std::str::from_utf8(&bytes)?.lines();
        lines
            .map(|line| serde_json::from_str(line).with_context(|| format!("{key} is not what it should be")))
            .collect()
    }

    async fn show_mails(&self, mark: u64, drifted: &[WindowSummary]) -> Result<()> {
        ui::say("\nNotification e-mails:\n");
        for window in drifted {
            let run = window.run_id.to_string();
            let found: Vec<Mail> = mails::of_run(self.inbox, mark, &run, Duration::from_secs(30)).await?;
            // All recipients get the same mail.
            if let Some(mail) = found.iter().find(|mail| mail.subject.contains("drift in")) {
                ui::say(&mails::shown(mail));
            }
        }
        Ok(())
    }

    /// Follows the training run that drift has started.
    async fn retrain(&self, drifted: &[WindowSummary]) -> Result<Retraining> {
        let use_case = &self.document.use_case;
        let deadline = Instant::now() + PATIENCE;
        let manifest = loop {
            if let Some(found) = self.started_by(drifted).await? {
                break found;
            }
            if Instant::now() > deadline {
                bail!(
                    "drift has started no training run in {} s: see `drivetrain logs`",
                    PATIENCE.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        let Source::Drift { found_by, .. } = manifest.source else {
            bail!("run {} was not started by drift", manifest.run_id);
        };
        let run_id = manifest.run_id;
        ui::say(&format!("{:<12} drift has started run {run_id}\n", "Retraining"));
        let names: Vec<String> = self.document.models.iter().map(|model| model.name.clone()).collect();
        let followed = follow::follow(self.target, self.platform, use_case, &run_id, &names).await?;
        let mut models = Vec::new();
        for model in &names {
            models.push(model_summary::of_model(self.target, self.platform, use_case, &run_id, model).await?);
        }
        Ok(Retraining {
            run_id,
            found_by,
            execution: followed.status,
            inputs: manifest.inputs.into_iter().map(|it| it.key).collect(),
            models,
        })
    }

    /// The run that drift in one of these windows has started.
    async fn started_by(&self, drifted: &[WindowSummary]) -> Result<Option<Manifest>> {
        let prefix = format!("{}/runs/", self.document.use_case);
        // Run ids begin with their time, so the newest come last.
        let keys = self.target.keys(&self.platform.bucket, &prefix).await?;
        for key in keys.iter().rev().filter(|key| key.ends_with("/run.json")) {
            let manifest: Option<Manifest> = self.target.document(self.platform, key).await?;
            let by_drift = |manifest: &Manifest| match &manifest.source {
                Source::Drift { found_by, .. } => drifted.iter().any(|window| window.run_id == *found_by),
                _ => false,
            };
            if let Some(manifest) = manifest.filter(by_drift) {
                return Ok(Some(manifest));
            }
        }
        Ok(None)
    }

    /// Waits until the API answers with a run's versions of these models: the function looks for champions every few
    /// seconds.
    async fn serves(&self, run_id: &RunId, models: &[&str]) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let probe = self.holdout(run_id).await?.into_iter().take(1).collect::<Vec<_>>();
        loop {
            let (answer, _) = predict::ask(self.api, &self.document.use_case, &probe).await?;
            let version = |it: &Value| it["version"].as_str() == Some(&run_id.to_string());
            let mut of_run = models
                .iter()
                .map(|model| answer.predictions[0].models.get(*model).is_some_and(version));
            if of_run.all(|it| it) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the models of run {run_id} do not answer");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn champion(&self, model: &str) -> Result<Champion> {
        let key = places::use_case::champion(&self.document.use_case, model);
        let champion = self.target.document(self.platform, &key).await?;
        champion.with_context(|| format!("{model} has no champion"))
    }

    /// The listings on which a run's models were judged, but never trained.
    async fn holdout(&self, run_id: &RunId) -> Result<Vec<Listing>> {
        let use_case = &self.document.use_case;
        let key = RunPlaces { use_case, run_id }.data("holdout") + "holdout.csv";
        let bytes = self.target.get(&self.platform.bucket, &key).await?;
        let bytes = bytes.with_context(|| format!("there is no {key}"))?;
        predict::listings(&bytes, self.document, usize::MAX)
    }

    /// The listings on which a run's models were trained, with their prices.
    async fn trained_on(&self, run_id: &RunId) -> Result<Vec<Listing>> {
        let use_case = &self.document.use_case;
        let places = RunPlaces { use_case, run_id };
        let mut files = Vec::new();
        for key in [places.data("raw") + "train.csv", places.data("train") + "train.csv"] {
            let bytes = self.target.get(&self.platform.bucket, &key).await?;
            files.push(bytes.with_context(|| format!("there is no {key}"))?);
        }
        predict::trained(&files[0], &files[1], self.document)
    }

    /// Drops a file; returns its run.
    async fn drop(&self, kind: places::Drop, name: &str, body: Vec<u8>) -> Result<RunId> {
        let (use_case, body) = (&self.document.use_case, ByteStream::from(body));
        let dropped = drops::put(self.target, self.platform, use_case, kind, name, body).await?;
        Ok(dropped.run_id)
    }

    /// Waits for the end of an execution, and prints a line about it.
    async fn finished(&self, title: &str, run_id: &RunId, arn: &str) -> Result<Followed> {
        let step = Step::begin(title);
        step.at(&format!("run {run_id}"));
        let followed = follow::finished(self.target, self.platform, &self.document.use_case, run_id, arn).await?;
        step.done(&format!(
            "run {run_id} {} after {:.1} s",
            followed.status, followed.seconds
        ));
        if let Some(failure) = &followed.failure {
            ui::say(&format!("  {failure}"));
        }
        Ok(followed)
    }

    /// Saves the dashboard as a local file.
    async fn dashboard(&self, layout: &Layout) -> Result<PathBuf> {
        let key = places::use_case::dashboard(&self.document.use_case);
        let bytes = self.target.get(&self.platform.bucket, &key).await?;
        let bytes = bytes.with_context(|| format!("no monitoring run has made {key}"))?;
        let folder = layout.demo();
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let file = folder.join("dashboard.html");
        std::fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// Summarises a window and its rows. An error is worse than drift, and drift is worse than too little data.
fn summed_up(traffic: &'static str, window: Window, rows: &[DriftRow]) -> WindowSummary {
    let is = |outcome: Outcome| rows.iter().any(|row| row.outcome == outcome.as_str());
    let worst = [Outcome::Error, Outcome::Drifted, Outcome::Clean];
    let mut drifted: Vec<&DriftRow> = rows.iter().filter(|row| row.status == Some(Status::Drifted)).collect();
    drifted.sort_by(|one, other| other.severity.unwrap_or(0.0).total_cmp(&one.severity.unwrap_or(0.0)));
    let name = |row: &&DriftRow| row.feature.clone().or_else(|| row.metric.clone());
    let mut reasons: Vec<String> = rows.iter().map(|row| row.reason.clone()).collect();
    reasons.dedup();
    WindowSummary {
        traffic,
        model: window.run.model,
        run_id: window.run.run_id,
        champion: window.champion,
        outcome: worst
            .into_iter()
            .find(|it| is(*it))
            .unwrap_or(Outcome::InsufficientData),
        reasons,
        top_features: drifted.iter().filter_map(name).collect(),
        records: window.records,
        labels_joined: window.ground_truth.joined,
    }
}

/// A selection from a list, spread evenly over it.
fn spread(listings: &[Listing], count: usize) -> Vec<Listing> {
    let count = count.min(listings.len());
    let chosen = (0..count).map(|number| number * listings.len() / count);
    chosen.map(|at| listings[at].clone()).collect()
}

/// A numeric column of a CSV file with a header.
fn column(file: &[u8], name: &str) -> Result<Vec<f64>> {
    let mut reader = csv::Reader::from_reader(file);
    let at = reader.headers()?.iter().position(|it| it == name);
    let at = at.with_context(|| format!("the scored file has no column {name}"))?;
    reader
        .records()
        .map(|row| Ok(row?[at].parse()?))
        .collect::<Result<_>>()
        .with_context(|| format!("{name} is not all numbers"))
}

/// The windows as text.
pub fn shown(lifecycle: &Lifecycle) -> String {
    let mut rows = vec![
        ["traffic", "model", "records", "truths", "outcome", "drifted"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for window in &lifecycle.monitoring {
        let mut top = window
            .top_features
            .iter()
            .take(4)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if window.top_features.len() > 4 {
            top += ", …";
        }
        rows.push(vec![
            window.traffic.to_owned(),
            window.model.clone(),
            window.records.to_string(),
            window.labels_joined.to_string(),
            window.outcome.as_str().to_owned(),
            top,
        ]);
    }
    ui::table(&rows)
}

/// A second half that went as it should, for tests.
#[cfg(test)]
pub fn sample(retrained: ModelSummary) -> Lifecycle {
    let run = |time: &str| RunId::parse(time).unwrap();
    let window = |traffic: &'static str, outcome: Outcome, top: &[&str]| WindowSummary {
        traffic,
        model: "a".to_owned(),
        run_id: run("20261122t190000z-ab12cd34"),
        champion: Some(run("20261122t183000z-ab12cd34")),
        outcome,
        reasons: vec!["because".to_owned()],
        top_features: top.iter().map(|it| (*it).to_owned()).collect(),
        records: 600,
        labels_joined: 600,
    };
    Lifecycle {
        scoring: Scoring {
            run_id: run("20261122t184000z-ab12cd34"),
            execution: "SUCCEEDED".to_owned(),
            seconds: 9.0,
            seconds_outside_jobs: 3.0,
            summary: ScoringSummary {
                run_id: run("20261122t184000z-ab12cd34"),
                file: "batch.csv".to_owned(),
                rows: 302,
                scored: 300,
                rejected: 2,
                reasons: vec![("no year".to_owned(), 2)],
                unreadable: Vec::new(),
                models: std::collections::BTreeMap::from([("a".to_owned(), run("20261122t183000z-ab12cd34"))]),
                absent: Vec::new(),
                absent_because: std::collections::BTreeMap::new(),
            },
            equals_api: true,
        },
        monitoring: vec![
            window("ordinary", Outcome::Clean, &[]),
            window("changed", Outcome::Drifted, &["fuel", "rmse"]),
            window("after", Outcome::Clean, &[]),
        ],
        retraining: Retraining {
            run_id: run("20261122t193000z-ab12cd34"),
            found_by: run("20261122t190000z-ab12cd34"),
            execution: "SUCCEEDED".to_owned(),
            inputs: vec!["cars/training/incoming/listings.csv".to_owned()],
            models: vec![retrained],
        },
        dashboard: PathBuf::from("target/demo/dashboard.html"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_spread_over_all() {
        let all: Vec<Listing> = (0..10_u32)
            .map(|number| Listing {
                instance: serde_json::Map::new(),
                actual: f64::from(number),
            })
            .collect();
        let chosen: Vec<f64> = spread(&all, 6).iter().map(|listing| listing.actual).collect();
        assert_eq!(chosen, [0.0, 1.0, 3.0, 5.0, 6.0, 8.0]);
        assert_eq!(spread(&all, 20).len(), 10);
    }

    #[test]
    fn the_worst_outcome_counts_and_the_worst_feature_is_first() {
        let row = |outcome: &str, feature: &str, severity: f64| -> DriftRow {
            serde_json::from_value(serde_json::json!({
                "model": "a", "window": 0, "window_from": "2026-11-22T18:30:00Z", "window_to": "2026-11-22T19:30:00Z",
                "run_id": "20261122t190000z-ab12cd34", "champion": null, "endpoint_config": "c", "analysis": "data",
                "outcome": outcome, "reason": outcome, "feature": feature, "role": "feature", "status": "drifted",
                "metric": "psi", "distance": 0.5, "threshold": 0.2, "severity": severity, "q_value": null,
                "distances": [], "baseline": null, "current": null, "baseline_rows": 5, "current_rows": 4,
                "skipped_rows": 0, "predictions": 4, "labels_joined": 0, "data_uri": "", "sources_uri": "",
                "scoring_runs": [], "report_uri": "",
            }))
            .unwrap()
        };
        let window: Window = serde_json::from_value(serde_json::json!({
            "run": {"bucket": "b", "use_case": "cars", "model": "a", "run_id": "20261122t190000z-ab12cd34"},
            "number": 0, "from": "2026-11-22T18:30:00Z", "to": "2026-11-22T19:30:00Z", "payload": "ready",
            "oversize": false, "has_data": true, "has_ground_truth": false, "has_baselines": true,
            "endpoint_config": "c", "champion": null, "baselines": {"data": "", "quality": ""}, "files": 1, "bytes": 1,
            "records": 4, "batch_records": 0, "skipped": [],
            "ground_truth": {"labels": 0, "joined": 0, "waiting": 0, "expired": 0, "predictions": 4},
            "data_uri": "", "quality_uri": "", "sources_uri": "", "scoring_runs": [], "more": false,
        }))
        .unwrap();
        let rows = [row("clean", "year", 1.1), row("drifted", "fuel", 2.5)];
        let window = summed_up("changed", window, &rows);
        assert_eq!(window.outcome, Outcome::Drifted);
        assert_eq!(window.top_features, ["fuel", "year"]);
    }
}
