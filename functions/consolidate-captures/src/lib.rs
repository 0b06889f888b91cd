//! consolidate-captures: makes the window of a monitoring run, and commits the bookmark when the run has succeeded.
//!
//! A window is made of the capture files of one endpoint configuration since the last window, and of the ground truth
//! that has come for its predictions. Until the bookmark is committed nothing counts as analysed: a run that dies leaves
//! its window open, and the next makes it again, with what has come since. `docs/consolidation.md` has the rules.
//!
//! How a captured line becomes rows is the crate `consolidate`'s matter; here is what lies in S3.

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
    /// Goes on with what the Glue job has merged.
    Adopt(Task),
    /// Commits the window: its records count as analysed from now on.
    Commit {
        /// Which model of which run.
        run: ModelRun,
    },
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
