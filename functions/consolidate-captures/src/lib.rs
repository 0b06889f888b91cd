//! consolidate-captures: makes the window of a monitoring run, and commits the bookmark when the run has succeeded.
//!
//! A window consists of the capture files of one endpoint configuration since the last window, and of the ground truth
//! that has arrived for its predictions. Nothing counts as analysed until the bookmark is committed: a run that dies
//! leaves its window open, and the next run makes it again, including what has arrived since. `docs/consolidation.md`
//! has the rules.
//!
//! The crate `consolidate` turns captured lines into rows; this crate deals with what is in S3.

mod commit;
mod context;
mod corrections;
mod error;
mod files;
mod find;
mod ground_truth;
mod index;
mod join;
mod labels;
mod merge;
mod next;
mod records;
mod refused;
mod sink;
mod truths;
mod waiting;
mod window;

use aws_config::SdkConfig;
use contracts::{ModelRun, Window};
use platform::Documents;
use serde::{Deserialize, Serialize};

pub use commit::Committed;
pub use context::{ConsolidateCaptures, Task};
pub use error::Error;

/// One step of a monitoring run.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Request {
    /// Makes the window.
    Consolidate(Task),
    /// Continues with what the Glue job has merged.
    Adopt(Task),
    /// Commits the window: its records count as analysed from now on.
    Commit {
        /// The model and the monitoring run.
        run: ModelRun,
    },
}

/// The answer; each step has a form of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// The answer to `consolidate` and `adopt`.
    Window(Box<Window>),
    /// The answer to `commit`.
    Commit {
        /// The outcome of the commit.
        outcome: Committed,
    },
}

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

    /// Sets other limits for the rows of ground truth that a window takes, and for the former windows that it opens;
    /// used by tests.
    #[must_use]
    pub fn with_bounds(self, most_labels: usize, most_windows: usize) -> Self {
        Self {
            most_labels,
            most_windows,
            ..self
        }
    }

    /// Performs a step. Repeating a step has the same result.
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
