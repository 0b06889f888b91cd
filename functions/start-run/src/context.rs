//! What every step works with.

use crate::settings::Settings;
use platform::{Documents, Notices, UseCases};

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct StartRun {
    pub(crate) documents: Documents,
    pub(crate) use_cases: UseCases,
    pub(crate) notices: Notices,
    pub(crate) executions: aws_sdk_sfn::Client,
    pub(crate) sagemaker: aws_sdk_sagemaker::Client,
    pub(crate) settings: Settings,
}

impl StartRun {
    /// A command that people can paste.
    pub(crate) fn command(&self, words: &str) -> String {
        contracts::command(&self.settings.stack, words)
    }
}
