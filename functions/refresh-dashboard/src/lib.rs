//! refresh-dashboard: rebuilds the dashboard of a use case from what its runs have reported, and the page of all use
//! cases; says which of QuickSight's datasets are due.
//!
//! Two callers: S3, by an event, when a row of a run was reported, and the state machine of monitoring. The pages are made
//! by the crate `report`; here is what they are made of. The ingestions are started by the state machine, so that this
//! function needs no client of QuickSight.
//!
//! Of several calls at once the newest state wins: see [`Turn`].

mod index;
mod ingestions;
mod read;

pub use ingestions::Ingestion;

use aws_config::SdkConfig;
use contracts::places::{self, Table};
use contracts::{ModelRun, UseCase};
use jiff::Timestamp;
use platform::documents::Condition;
use platform::{Documents, UseCases};
use report::dashboard;
use serde::{Deserialize, Serialize};

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
    /// Of the use case of a monitoring run, which starts the ingestions that are due.
    Watched {
        /// The run that has something new to show.
        run: ModelRun,
    },
    /// Of the use case whose row was reported, as S3 tells of it through EventBridge.
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

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The page could not be made of what was read. `error_type`: `DashboardUnmade`.
    #[error("the dashboard of {of} can't be made: {reason}")]
    DashboardUnmade {
        /// The use case, or all of them.
        of: String,
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
                self.index(now).await?;
                return Ok(Response::nothing());
            }
            (Err(error), _) => return Err(error.into()),
        };
        self.page(&document, now).await?;
        self.index(now).await?;
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
            let is_page_ours = self.put_page(&page_turn, page).await?;
            let overview = dashboard::overview(&dashboard);
            let put = self.documents.put(&overview_key, &overview, overview_turn.condition());
            if put.await?.is_some() && is_page_ours {
                break;
            }
        }
        Ok(())
    }

    /// Whether the turn was ours.
    async fn put_page(&self, turn: &Turn<'_>, page: String) -> Result<bool, Error> {
        let put = self.documents.put_bytes_if(
            turn.key,
            "text/html; charset=utf-8",
            page.into_bytes(),
            turn.condition(),
        );
        Ok(put.await?.is_some())
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

/// A turn at writing an object: taken before what it is made of is read, and lost when somebody else has written the
/// object by the time that it is made.
///
/// So whoever writes has read what it is made of after the object of before was written: a page never goes back to an
/// older state. A call that has lost its turn twice may stop: whoever took the second turn from it took its own after the
/// first was lost, so has read all that this call was called for.
struct Turn<'a> {
    key: &'a str,
    etag: Option<String>,
}

impl<'a> Turn<'a> {
    /// So many turns are enough, whether they are lost or not.
    const ENOUGH: u32 = 2;

    async fn take(documents: &Documents, key: &'a str) -> Result<Self, Error> {
        let etag = documents.etag(key).await?;
        Ok(Self { key, etag })
    }

    fn condition(&self) -> Condition<'_> {
        self.etag.as_deref().map_or(Condition::Absent, Condition::Unchanged)
    }
}
