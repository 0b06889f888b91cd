//! refresh-dashboard: rebuilds the dashboard of a use case from what its runs have reported, and the page of all use
//! cases; says which of QuickSight's datasets are due.
//!
//! Two callers: S3, by an event, when a row of a run was reported, and the state machine of monitoring. The pages are made
//! by the crate `report`; here is what they are made of. The ingestions are started by the state machine, so that this
//! function needs no client of QuickSight.
//!
//! If several calls come at once, the newest state wins: see `turn`.

mod error;
mod index;
mod ingestions;
mod read;
mod turn;

pub use error::Error;
pub use ingestions::Ingestion;

use aws_config::SdkConfig;
use contracts::places::{self, Table};
use contracts::{ModelRun, UseCase};
use jiff::Timestamp;
use platform::{Documents, UseCases};
use report::dashboard;
use serde::{Deserialize, Serialize};
use turn::Turn;

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct RefreshDashboard {
    documents: Documents,
    use_cases: UseCases,
    stack: String,
}

/// Whose dashboard.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Request {
    /// The use case of a monitoring run, which starts the ingestions that are due.
    Watched {
        /// The run that has something new to show.
        run: ModelRun,
    },
    /// The use case whose row was reported, by an event of S3 through EventBridge.
    Reported {
        /// The event's detail.
        detail: Detail,
    },
}

/// What S3 tells of an object that was written.
#[derive(Clone, Debug, Deserialize)]
pub struct Detail {
    /// The object.
    pub object: Object,
}

/// An object that was written.
#[derive(Clone, Debug, Deserialize)]
pub struct Object {
    /// Its key.
    pub key: String,
}

/// What was made, and what is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The page: `s3://bucket/<use-case>/reporting/dashboard.html`; none when there is nothing to make one of.
    pub dashboard_uri: Option<String>,
    /// What QuickSight is to be asked for; seldom anything.
    pub ingestions: Vec<Ingestion>,
}

impl RefreshDashboard {
    /// The function with clients made from `config`.
    pub fn new(config: &SdkConfig, stack: &str, bucket: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            use_cases: UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), stack),
            documents,
            stack: stack.to_owned(),
        }
    }

    /// Rebuilds the pages; twice the same is made twice.
    ///
    /// # Errors
    /// [`Error::DashboardUnmade`], [`Error::Platform`]. A reported file that doesn't read is none: the page counts it. Nor
    /// is a reported row of a use case that was removed: the page of all use cases leaves it out.
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        let (use_case, run) = match &request {
            Request::Watched { run } => (run.use_case.as_str(), Some(run)),
            Request::Reported { detail } => match Table::Runs.use_case_of(&detail.object.key) {
                Some(use_case) => (use_case, None),
                None => return Ok(Response::nothing()),
            },
        };
        let document = match (self.use_cases.get(use_case).await, run) {
            (Ok((document, _)), _) => document,
            (Err(platform::Error::UseCaseUnknown(_)), None) => {
                tracing::info!(use_case, "has no document");
                index::write(&self.documents, &self.stack, now).await?;
                return Ok(Response::nothing());
            }
            (Err(error), _) => return Err(error.into()),
        };
        self.page(&document, now).await?;
        index::write(&self.documents, &self.stack, now).await?;
        let ingestions = match run {
            Some(run) => ingestions::due(&self.documents, &document, &run.run_id, now).await?,
            None => Vec::new(),
        };
        let key = places::use_case::dashboard(use_case);
        Ok(Response {
            dashboard_uri: Some(places::uri(self.documents.bucket(), &key)),
            ingestions,
        })
    }

    /// The page of a use case, and what the page of all of them shows of it.
    async fn page(&self, document: &UseCase, now: Timestamp) -> Result<(), Error> {
        let use_case = &document.use_case;
        let page_key = places::use_case::dashboard(use_case);
        let overview_key = places::use_case::overview(use_case);
        for _ in 0..Turn::ENOUGH {
            let page_turn = Turn::take(&self.documents, &page_key).await?;
            let overview_turn = Turn::take(&self.documents, &overview_key).await?;
            let dashboard = read::dashboard(&self.documents, &self.stack, document, now).await?;
            let unreadable = dashboard.unreadable.len();
            let page = dashboard::html(&dashboard).map_err(|error| Error::DashboardUnmade {
                of: format!("use case `{use_case}`"),
                reason: error.to_string(),
            })?;
            tracing::info!(use_case, bytes = page.len(), unreadable, "dashboard made");
            let is_page_ours = page_turn.put_page(&self.documents, page).await?;
            let overview = dashboard::overview(&dashboard);
            let put = self.documents.put(&overview_key, &overview, overview_turn.condition());
            if put.await?.is_some() && is_page_ours {
                break;
            }
        }
        Ok(())
    }
}

impl Response {
    fn nothing() -> Self {
        Self {
            dashboard_uri: None,
            ingestions: Vec::new(),
        }
    }
}
