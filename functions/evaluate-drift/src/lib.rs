//! evaluate-drift: decides the outcome of a window, writes its rows for queries, and notifies people.
//!
//! It reads what the analyzer has left in the window's folder. The rules are in [`rules`]: an analysis that should have
//! been made and left no readable result is an error, never clean. People are notified of an unchanged finding once a
//! day, of a different one at once, and of its end.
//!
//! Not done here: sending the event and committing the bookmark (the state machine does both, as this answer says), and
//! what follows from drift (start-run reads that in the document).

pub mod finding;
pub mod notice;
pub mod rows;
pub mod rules;

use aws_config::SdkConfig;
use contracts::drift::Outcome;
use contracts::failure::Caught;
use contracts::monitoring::{DriftDetected, Payload};
use contracts::places::MonitoringPlaces;
use contracts::reporting::drift_rows;
use contracts::{Drift, Failure, ModelRun, Window};
use finding::Finding;
use jiff::Timestamp;
use notice::Found;
use platform::{Documents, Findings, Notices};
use rules::{Analyses, Analysis};
use serde::{Deserialize, Serialize};

/// How many features the event names.
const ANNOUNCED: usize = 10;

/// The function.
#[derive(Clone, Debug)]
pub struct EvaluateDrift {
    documents: Documents,
    findings: Findings,
    stack: String,
}

/// A window and how its jobs ended.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The model and the monitoring run.
    pub run: ModelRun,
    /// The answer of consolidate-captures.
    pub window: Window,
    /// How the jobs ended.
    pub analyses: Ends,
}

/// How the analyzer's jobs ended.
#[derive(Clone, Debug, Deserialize)]
pub struct Ends {
    /// The job that compares raw columns and predictions with those of training.
    pub data: End,
    /// The job that compares predictions with their ground truth.
    pub quality: End,
}

/// How a job ended.
#[derive(Clone, Debug, Deserialize)]
pub struct End {
    /// Whether it was started.
    pub ran: bool,
    /// The error that the machine caught.
    pub error: Option<Caught>,
}

/// The answer. Every key is always present, so that every path that the machine uses exists.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Response {
    /// The outcome of the window.
    pub outcome: Outcome,
    /// The reason, in one sentence.
    pub reason: String,
    /// Whether the event of drift is to be sent.
    pub announce: bool,
    /// The event's detail.
    pub detail: Option<DriftDetected>,
    /// Whether the window counts as analysed.
    pub commit: bool,
    /// The subject of the notice that this call has published, if any.
    pub told: Option<String>,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `WindowInvalid`: the request does not say what was analysed.
    #[error("window {number} of run {run_id} can't be evaluated: {reason}")]
    WindowInvalid {
        /// Its number.
        number: u64,
        /// The run.
        run_id: contracts::RunId,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An error of the shared shell, `platform`.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error { WindowInvalid });

impl EvaluateDrift {
    /// The function with its clients.
    pub fn new(config: &SdkConfig, stack: &str, bucket: &str, topic_arn: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        let notices = Notices::new(aws_sdk_sns::Client::new(config), topic_arn);
        Self {
            findings: Findings::new(documents.clone(), notices),
            documents,
            stack: stack.to_owned(),
        }
    }

    /// Decides the outcome of a window, writes its rows and notifies people.
    ///
    /// # Errors
    /// [`Error::WindowInvalid`]; [`Error::Platform`] when AWS fails: the outcome is then undecided, and the machine
    /// retries.
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        let window = &request.window;
        check(&request.run, window)?;
        let analyses = Analyses {
            data: self
                .analysis(window, "data", window.has_data, request.analyses.data)
                .await?,
            quality: self
                .analysis(window, "quality", window.has_ground_truth, request.analyses.quality)
                .await?,
        };
        let judgement = rules::judge(window.has_baselines, &analyses);
        let (run, outcome) = (&window.run, judgement.outcome);
        tracing::info!(
            run_id = %run.run_id, model = run.model, window = window.number, outcome = outcome.as_str(),
            reason = judgement.reason, "evaluated"
        );
        let rows = rows::rows(window, &analyses, &judgement);
        self.documents.put_rows(&drift_rows(window), &rows).await?;
        let found = Found {
            window,
            analyses: &analyses,
            judgement: &judgement,
        };
        let told = self.tell(found, now).await?;
        let detail = (outcome == Outcome::Drifted).then(|| self.detail(found)).flatten();
        Ok(Response {
            outcome,
            announce: detail.is_some(),
            detail,
            // A window that could not be analysed is analysed by the next run; without baselines it never could be.
            commit: outcome != Outcome::Error || !window.has_baselines,
            reason: judgement.reason,
            told,
        })
    }

    /// The state of an analysis. Its result is read only if its job has ended well.
    async fn analysis(&self, window: &Window, name: &str, has_input: bool, end: End) -> Result<Analysis, Error> {
        let places = MonitoringPlaces {
            use_case: &window.run.use_case,
            model: &window.run.model,
            run_id: &window.run.run_id,
        };
        let caught = end.error.map(|caught| Failure::readable(&caught.error, &caught.cause));
        let result = if end.ran && caught.is_none() {
            let key = places.analysis(name) + "drift.json";
            match self.documents.get::<Drift>(&key).await {
                Ok(found) => found.map(|found| Ok(found.value)),
                Err(error @ platform::Error::Document { .. }) => Some(Err(error.to_string())),
                Err(error) => return Err(error.into()),
            }
        } else {
            None
        };
        let due = has_input && window.has_baselines;
        Ok(Analysis::of(due, end.ran, caught, result))
    }

    /// Notifies people if there is something new to report; returns the subject of the notice.
    async fn tell(&self, found: Found<'_>, now: Timestamp) -> Result<Option<String>, Error> {
        let window = found.window;
        let finding = finding::of(window, found.judgement);
        let before = match finding {
            Finding::Unknown => return Ok(None),
            Finding::Nothing => {
                let last = self.findings.last(&window.run).await?;
                match last {
                    // If the notice of the finding's end was not sent, it is sent now.
                    Some(last) if last.fingerprint != finding::NOTHING || !last.sent => Some(last),
                    _ => return Ok(None),
                }
            }
            Finding::Drifted | Finding::Failed | Finding::Unreadable => None,
        };
        let Some(notice) = notice::of(finding, found, before.as_ref()) else {
            return Ok(None);
        };
        let fingerprint = finding::fingerprint(finding, window, found.analyses, found.judgement);
        let told = self.findings.tell(&window.run, &fingerprint, &notice, now).await?;
        Ok(told.then(|| notice.subject()))
    }

    fn detail(&self, found: Found<'_>) -> Option<DriftDetected> {
        let window = found.window;
        let features = finding::drifted_features(found.analyses);
        Some(DriftDetected {
            stack: self.stack.clone(),
            use_case: window.run.use_case.clone(),
            model: window.run.model.clone(),
            run_id: window.run.run_id.clone(),
            champion: window.champion.clone()?,
            found_at: window.to,
            kinds: found.kinds(),
            top_features: features
                .iter()
                .take(ANNOUNCED)
                .map(|feature| feature.name.clone())
                .collect(),
            drifted_metrics: finding::drifted_metrics(found.analyses)
                .into_iter()
                .map(|metric| metric.name.clone())
                .collect(),
        })
    }
}

/// Checks that the window was consolidated by this run, and belongs to a champion.
fn check(run: &ModelRun, window: &Window) -> Result<(), Error> {
    let reason = if window.run != *run {
        "it is of another run"
    } else if window.payload != Payload::Ready {
        "there is nothing in it to analyse"
    } else if window.has_baselines && window.champion.is_none() {
        "it has baselines, but names no champion that they are of"
    } else {
        return Ok(());
    };
    Err(Error::WindowInvalid {
        number: window.number,
        run_id: run.run_id.clone(),
        reason,
    })
}
