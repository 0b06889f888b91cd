//! refresh-dashboard: rebuilds the dashboard of a use case from what its runs have reported, and says which of
//! QuickSight's datasets are due.
//!
//! The page is made by the crate `report`; here is what it is made of. The ingestions are started by the state machine,
//! so that this function needs no client of QuickSight.

mod ingestions;
mod read;

pub use ingestions::Ingestion;

use aws_config::SdkConfig;
use contracts::{ModelRun, places};
use jiff::Timestamp;
use platform::{Documents, UseCases};
use report::dashboard;
use serde::{Deserialize, Serialize};

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct RefreshDashboard {
    documents: Documents,
    use_cases: UseCases,
}

/// Whose dashboard.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The run that has something new to show.
    pub run: ModelRun,
}

/// What was made, and what is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The page: `s3://bucket/<use-case>/reporting/dashboard.html`.
    pub dashboard_uri: String,
    /// What QuickSight is to be asked for; seldom anything.
    pub ingestions: Vec<Ingestion>,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The page could not be made of what was read. `error_type`: `DashboardUnmade`.
    #[error("the dashboard of use case `{use_case}` can't be made: {reason}")]
    DashboardUnmade {
        /// The use case.
        use_case: String,
        /// What the template says.
        reason: String,
    },
    /// A call of AWS failed, or the use case has no document.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error { DashboardUnmade });

impl RefreshDashboard {
    /// The function with clients made from `config`.
    pub fn new(config: &SdkConfig, stack: &str, bucket: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            use_cases: UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), stack),
            documents,
        }
    }

    /// Rebuilds the page; twice the same is made twice.
    ///
    /// # Errors
    /// [`Error::DashboardUnmade`], [`Error::Platform`]. A reported file that doesn't read is none: the page counts it.
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        let use_case = &request.run.use_case;
        let (document, _) = self.use_cases.get(use_case).await?;
        let dashboard = read::dashboard(&self.documents, &document, now).await?;
        let unreadable = dashboard.unreadable.len();
        let page = dashboard::html(&dashboard).map_err(|error| Error::DashboardUnmade {
            use_case: use_case.clone(),
            reason: error.to_string(),
        })?;
        let key = places::use_case::dashboard(use_case);
        tracing::info!(use_case, bytes = page.len(), unreadable, "dashboard made");
        self.documents
            .put_bytes(&key, "text/html; charset=utf-8", page.into_bytes())
            .await?;
        Ok(Response {
            dashboard_uri: places::uri(self.documents.bucket(), &key),
            ingestions: ingestions::due(&self.documents, &document, &request.run.run_id, now).await?,
        })
    }
}
