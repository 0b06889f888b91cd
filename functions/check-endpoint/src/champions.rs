//! The champions of use cases, as their documents name them.

use crate::{CheckEndpoint, Error};
use contracts::{Champion, UseCase, places};
use std::collections::BTreeSet;

/// The champions of the stack.
#[derive(Debug, Default)]
pub(crate) struct Champions {
    /// Those that requests go to: of models that stand in their use case's document.
    pub read: Vec<Champion>,
    /// Use cases of which it is not known what is read: no endpoint of theirs is retired.
    pub doubtful: BTreeSet<String>,
}

impl CheckEndpoint {
    /// Adds the champions of a use case to those that are known; none of one that was removed.
    pub(crate) async fn champions_of(&self, use_case: &str, champions: &mut Champions) -> Result<(), Error> {
        let document: UseCase = match self.use_cases.get(use_case).await {
            Ok((document, _)) => document,
            // Removed: nobody reads its champions any more.
            Err(platform::Error::UseCaseUnknown(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for model in &document.models {
            let key = places::use_case::champion(use_case, &model.name);
            if let Some(champion) = self.documents.get::<Champion>(&key).await? {
                champions.read.push(champion.value);
            }
        }
        Ok(())
    }
}
