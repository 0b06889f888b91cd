//! What the page of all use cases is made of: their overviews.

use crate::error::Error;
use crate::turn::Turn;
use contracts::places;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use platform::Documents;
use report::index::{self, Index, Listed, Overview};

/// Reads at the same time.
const READS: usize = 16;

/// Writes the page of all use cases.
pub(crate) async fn write(documents: &Documents, stack: &str, now: Timestamp) -> Result<(), Error> {
    for _ in 0..Turn::ENOUGH {
        let turn = Turn::take(documents, places::ALL_DASHBOARDS).await?;
        let index = Index {
            stack: stack.to_owned(),
            generated_at: now,
            use_cases: listed(documents).await?,
        };
        let page = index::html(&index).map_err(|error| Error::DashboardUnmade {
            of: "all use cases".to_owned(),
            reason: error.to_string(),
        })?;
        if turn.put_page(documents, page).await? {
            break;
        }
    }
    Ok(())
}

/// The use cases that are in service.
async fn listed(documents: &Documents) -> Result<Vec<Listed>, Error> {
    let names = documents.folders(places::use_case::ALL, None).await?;
    let reads = names.into_iter().map(|name| one(documents, name));
    let listed: Vec<Option<Listed>> = stream::iter(reads).buffered(READS).try_collect().await?;
    Ok(listed.into_iter().flatten().collect())
}

/// `None` for one that was removed: its document is gone, and its other documents may stay.
async fn one(documents: &Documents, use_case: String) -> Result<Option<Listed>, Error> {
    if documents.etag(&places::use_case::config(&use_case)).await?.is_none() {
        return Ok(None);
    }
    let key = places::use_case::overview(&use_case);
    let overview = match documents.get::<Overview>(&key).await {
        Ok(found) => found.map(|found| found.value),
        // Written by another version of the platform: the use case's next run writes it again.
        Err(error @ platform::Error::Document { .. }) => {
            tracing::warn!(%error, "the overview can't be read");
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
