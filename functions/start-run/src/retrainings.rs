//! The list of the runs that drift has started.

use crate::{Error, StartRun};
use contracts::RunId;
use contracts::monitoring::Retrainings;
use contracts::places;
use platform::documents::Condition;

/// Looks at a document that other calls change.
pub(crate) const LOOKS: u32 = 5;

impl StartRun {
    /// The runs that drift has started, and the ETag of their list.
    pub(crate) async fn retrainings(&self, use_case: &str) -> Result<(Retrainings, Option<String>), Error> {
        let key = places::use_case::retrainings(use_case);
        let found = self.documents.get::<Retrainings>(&key).await?;
        Ok(found.map_or_else(Default::default, |found| (found.value, Some(found.etag))))
    }

    /// Takes a run out of those that drift has started: it was overtaken, and drift may start another.
    pub(crate) async fn forget_retraining(&self, use_case: &str, run_id: &RunId) -> Result<(), Error> {
        let key = places::use_case::retrainings(use_case);
        for _ in 0..LOOKS {
            let (mut list, Some(etag)) = self.retrainings(use_case).await? else {
                return Ok(());
            };
            if list.runs.remove(&run_id.to_string()).is_none() {
                return Ok(());
            }
            if self
                .documents
                .put(&key, &list, Condition::Unchanged(&etag))
                .await?
                .is_some()
            {
                return Ok(());
            }
        }
        Err(Error::DocumentContended(places::uri(&self.settings.bucket, &key)))
    }
}
