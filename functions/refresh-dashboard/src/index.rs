//! What the page of all use cases is made of: their overviews.

use crate::{Error, RefreshDashboard, Turn};
use contracts::places;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use report::index::{self, Index, Listed, Overview};

/// Reads at the same time.
const READS: usize = 16;

impl RefreshDashboard {
    /// The page of all use cases.
    pub(crate) async fn index(&self, now: Timestamp) -> Result<(), Error> {
        for _ in 0..Turn::ENOUGH {
            let turn = Turn::take(&self.documents, places::ALL_DASHBOARDS).await?;
            let index = Index {
                stack: self.stack.clone(),
                generated_at: now,
                use_cases: self.listed().await?,
            };
            let page = index::html(&index).map_err(|error| Error::DashboardUnmade {
                of: "all use cases".to_owned(),
                reason: error.to_string(),
            })?;
            if self.put_page(&turn, page).await? {
                break;
            }
        }
        Ok(())
    }

    /// The use cases that are in service.
    async fn listed(&self) -> Result<Vec<Listed>, Error> {
        let names = self.documents.folders(places::use_case::ALL, None).await?;
        let reads = names.into_iter().map(|name| self.one(name));
        let listed: Vec<Option<Listed>> = stream::iter(reads).buffered(READS).try_collect().await?;
        Ok(listed.into_iter().flatten().collect())
    }

    /// `None` of one that was removed: its document is gone, and its other documents may stay.
    async fn one(&self, use_case: String) -> Result<Option<Listed>, Error> {
        if self
            .documents
            .etag(&places::use_case::config(&use_case))
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let key = places::use_case::overview(&use_case);
        let overview = match self.documents.get::<Overview>(&key).await {
            Ok(found) => found.map(|found| found.value),
            // Of another version of the platform: the use case's next run writes it again.
            Err(error @ platform::Error::Document { .. }) => {
                tracing::warn!(%error, "the overview does not read");
                None
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Some(Listed {
            // The page lies in a folder at the top.
            address: format!("../{}", places::use_case::dashboard(&use_case)),
            use_case,
            overview,
        }))
    }
}
