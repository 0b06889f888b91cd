//! consolidate-captures: makes the window of a monitoring run, and commits the bookmark when the run has succeeded.
//!
//! A window is made of the capture files of one endpoint configuration since the last window, and of the ground truth
//! that has come for its predictions. Until the bookmark is committed nothing counts as analysed: a run that dies leaves
//! its window open, and the next makes it again, with what has come since. `docs/consolidation.md` has the rules.
//!
//! How a captured line becomes rows is the crate `consolidate`'s matter; here is what lies in S3.

mod commit;
mod corrections;
mod files;
mod find;
mod ground_truth;
mod index;
mod join;
mod labels;
mod merge;
mod next;
mod records;
mod sink;
mod truths;
mod window;

use aws_config::SdkConfig;
use contracts::monitoring::WindowRules;
use contracts::{ModelRun, Window};
use jiff::Timestamp;
use platform::Documents;
use serde::{Deserialize, Serialize};

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct ConsolidateCaptures {
    documents: Documents,
    glue_threshold_bytes: u64,
    most_labels: usize,
    most_windows: usize,
}

/// One step of a monitoring run.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Request {
    /// Makes the window.
    Consolidate(Task),
    /// Goes on with what the Glue job has merged.
    Adopt(Task),
    /// Commits the window: its records count as analysed from now on.
    Commit {
        /// Which model of which run.
        run: ModelRun,
    },
}

/// Which window, by which rules.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// Which model of which run.
    pub run: ModelRun,
    /// The time of the run.
    pub tick: Timestamp,
    /// The document's.
    pub rules: WindowRules,
}

/// The answer, a form for each step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To `consolidate` and `adopt`.
    Window(Box<Window>),
    /// To `commit`.
    Commit {
        /// What became of it.
        outcome: Committed,
    },
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Committed {
    /// The window is analysed.
    Committed,
    /// Another run has committed meanwhile: this one's window is nothing.
    Superseded,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model has no champion, so that there is nobody's answers to look at. `error_type`: `ChampionMissing`.
    #[error("{model} of use case `{use_case}` has no champion: train it before it is watched")]
    ChampionMissing {
        /// The use case.
        use_case: String,
        /// The model.
        model: String,
    },
    /// The Glue job left nothing to go on with. `error_type`: `GlueOutputMissing`.
    #[error("{0} is missing: look at the log of the Glue job")]
    GlueOutputMissing(String),
    /// Another run has committed while the Glue job ran: the same captures are in its window. `error_type`:
    /// `BookmarkChanged`.
    #[error(
        "window {window} of {model} was committed by another run while this one's was consolidated: the next run goes on"
    )]
    BookmarkChanged {
        /// The model.
        model: String,
        /// The window that both made.
        window: u64,
    },
    /// A step of a run that has made no window. `error_type`: `WindowMissing`.
    #[error("{0} is missing: the run has made no window to go on with")]
    WindowMissing(String),
    /// A call of AWS failed, or a document doesn't read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    ChampionMissing,
    GlueOutputMissing,
    BookmarkChanged,
    WindowMissing
});

impl ConsolidateCaptures {
    /// The function with clients made from `config`.
    pub fn new(config: &SdkConfig, bucket: &str, glue_threshold_bytes: u64) -> Self {
        Self {
            documents: Documents::new(platform::s3_client(config), bucket),
            glue_threshold_bytes,
            most_labels: labels::MOST_LABELS,
            most_windows: find::MOST_WINDOWS,
        }
    }

    /// The same, with other bounds on the rows of ground truth that a window takes, and on the former windows that it
    /// opens: for tests.
    #[must_use]
    pub fn with_bounds(self, most_labels: usize, most_windows: usize) -> Self {
        Self {
            most_labels,
            most_windows,
            ..self
        }
    }

    /// Does a step; again it does the same.
    ///
    /// # Errors
    /// [`Error::ChampionMissing`], [`Error::GlueOutputMissing`], [`Error::BookmarkChanged`], [`Error::WindowMissing`],
    /// [`Error::Platform`].
    pub async fn handle(&self, request: Request) -> Result<Response, Error> {
        let response = match request {
            Request::Consolidate(task) => Response::Window(Box::new(self.consolidate(&task).await?)),
            Request::Adopt(task) => Response::Window(Box::new(self.adopt(&task).await?)),
            Request::Commit { run } => Response::Commit {
                outcome: self.commit(&run).await?,
            },
        };
        match &response {
            Response::Window(window) => tracing::info!(
                number = window.number,
                payload = ?window.payload,
                files = window.files,
                records = window.records,
                labels = window.ground_truth.joined,
                "window made"
            ),
            Response::Commit { outcome } => tracing::info!(?outcome, "commit"),
        }
        Ok(response)
    }
}
