//! What every step works with.

use crate::Error;
use contracts::{Champion, ModelRun, places};
use platform::{Decisions, Documents, Notices, UseCases, Versioned};

/// The function.
#[derive(Clone, Debug)]
pub struct RmseGate {
    pub(crate) documents: Documents,
    pub(crate) decisions: Decisions,
    pub(crate) notices: Notices,
    pub(crate) use_cases: UseCases,
    pub(crate) stack: String,
}

impl RmseGate {
    /// The champion as it is now; none where there is none.
    pub(crate) async fn current_champion(&self, run: &ModelRun) -> Result<Option<Versioned<Champion>>, Error> {
        let key = places::use_case::champion(&run.use_case, &run.model);
        Ok(self.documents.get(&key).await?)
    }
}
