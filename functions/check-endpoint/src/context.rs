//! What every request works with.

use crate::sagemaker::Endpoints;
use contracts::{ModelRun, RunId};
use jiff::Timestamp;
use platform::{Decisions, Documents, Leases, Notices, UseCases};

/// The function.
#[derive(Clone, Debug)]
pub struct CheckEndpoint {
    pub(crate) documents: Documents,
    pub(crate) decisions: Decisions,
    pub(crate) leases: Leases,
    pub(crate) use_cases: UseCases,
    pub(crate) notices: Notices,
    pub(crate) endpoints: Endpoints,
}

impl CheckEndpoint {
    /// Who holds the lease while a tick is at work.
    pub(crate) fn repair_run(&self, use_case: &str, model: &str, now: Timestamp) -> ModelRun {
        ModelRun {
            bucket: self.documents.bucket().to_owned(),
            use_case: use_case.to_owned(),
            model: model.to_owned(),
            run_id: RunId::for_repair(now, use_case, model),
        }
    }
}
