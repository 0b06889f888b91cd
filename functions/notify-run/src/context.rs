//! What every step works with.

use crate::Error;
use platform::{Documents, Findings, Leases, Notices};

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct NotifyRun {
    pub(crate) documents: Documents,
    pub(crate) executions: aws_sdk_sfn::Client,
    pub(crate) leases: Leases,
    pub(crate) notices: Notices,
    pub(crate) findings: Findings,
    pub(crate) stack: String,
}

impl NotifyRun {
    /// A document, or why it doesn't read: that must not keep people from being told.
    pub(crate) async fn readable<T: serde::de::DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Result<Option<T>, String>, Error> {
        match self.documents.get::<T>(key).await {
            Ok(found) => Ok(Ok(found.map(|found| found.value))),
            Err(error @ platform::Error::Document { .. }) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}
