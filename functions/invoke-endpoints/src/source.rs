//! The document and the champions of a use case, kept for a while.
//!
//! A champion that has just been exported answers once what is kept is no longer fresh. When S3 or Parameter Store
//! can't be read, what was read last goes on serving until it is stale: an endpoint doesn't depend on them.

use crate::Limits;
use contracts::use_case::Column;
use contracts::{Champion, ConfigPointer, UseCase, places};
use futures::future::try_join_all;
use platform::{Documents, Error, UseCases};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, timeout};

/// What a prediction needs to know.
#[derive(Debug)]
pub struct Known {
    /// The use-case document.
    pub document: UseCase,
    /// The champions there are, by model.
    pub champions: BTreeMap<String, Champion>,
    /// The columns that the champions have and the document has no more, in the order of their names.
    pub former: Vec<Former>,
    pointer: ConfigPointer,
    earlier: Earlier,
}

/// The columns of earlier versions of the document, by version; none of one that can't be used.
type Earlier = BTreeMap<String, Vec<Column>>;

/// A column that the document has no more, and that champions were trained with.
#[derive(Clone, Debug)]
pub struct Former {
    /// Its name.
    pub name: String,
    /// As the document had it when they were trained, but required of nobody; none where that document can't be read.
    pub column: Option<Column>,
    /// The models of those champions.
    pub models: Vec<String>,
}

/// Reads and keeps what is known of use cases.
#[derive(Debug)]
pub struct Source {
    use_cases: UseCases,
    documents: Documents,
    limits: Limits,
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    known: Arc<Known>,
    read_at: Instant,
    /// Not before `fresh` after this is it tried again: a store that is down is not asked at every request.
    tried_at: Instant,
}

impl Source {
    /// A source that has read nothing yet.
    pub fn new(use_cases: UseCases, documents: Documents, limits: Limits) -> Self {
        Self {
            use_cases,
            documents,
            limits,
            kept: Mutex::default(),
        }
    }

    /// What is known of a use case.
    ///
    /// # Errors
    /// [`Error::UseCaseUnknown`]; others when nothing has been read lately and nothing can be read now.
    pub async fn get(&self, use_case: &str) -> Result<Arc<Known>, Error> {
        let now = Instant::now();
        let kept = self.kept().get(use_case).cloned();
        let kept = kept.filter(|kept| now.duration_since(kept.read_at) < self.limits.stale);
        let result = match &kept {
            Some(kept) if now.duration_since(kept.tried_at) < self.limits.fresh => return Ok(kept.known.clone()),
            Some(kept) => {
                let reading = self.read(use_case, Some(&kept.known));
                timeout(self.limits.refresh, reading).await.unwrap_or_else(|_| {
                    Err(Error::AwsCall {
                        call: format!("reading use case {use_case}"),
                        code: "Timeout".to_owned(),
                        message: format!("not read within {} ms", self.limits.refresh.as_millis()),
                    })
                })
            }
            None => self.read(use_case, None).await,
        };
        match (result, kept) {
            (Ok(known), _) => {
                let known = Arc::new(known);
                self.keep(
                    use_case,
                    Kept {
                        known: known.clone(),
                        read_at: now,
                        tried_at: now,
                    },
                );
                Ok(known)
            }
            (Err(error @ Error::UseCaseUnknown(_)), _) => {
                self.kept().remove(use_case);
                Err(error)
            }
            (Err(error), Some(kept)) => {
                tracing::warn!(%error, "what was read last goes on serving");
                let known = kept.known.clone();
                self.keep(use_case, Kept { tried_at: now, ..kept });
                Ok(known)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn read(&self, use_case: &str, kept: Option<&Known>) -> Result<Known, Error> {
        let pointer = self.use_cases.pointer(use_case).await?;
        let pointer = pointer.ok_or_else(|| Error::UseCaseUnknown(use_case.to_owned()))?;
        let document = match kept.filter(|kept| kept.pointer == pointer) {
            Some(kept) => kept.document.clone(),
            None => self.use_cases.at(&pointer).await?,
        };
        let champions = try_join_all(document.models.iter().map(|model| async {
            let key = places::use_case::champion(use_case, &model.name);
            let champion = self.documents.get::<Champion>(&key).await?;
            Ok::<_, Error>(champion.map(|found| (model.name.clone(), found.value)))
        }));
        let champions: BTreeMap<_, _> = champions.await?.into_iter().flatten().collect();
        for model in document
            .models
            .iter()
            .filter(|model| !champions.contains_key(&model.name))
        {
            tracing::warn!(use_case, model = model.name, "has no champion yet");
        }
        let earlier = self.earlier(&document, &champions, kept).await?;
        Ok(Known {
            former: former(&document, &champions, &earlier),
            document,
            champions,
            pointer,
            earlier,
        })
    }

    /// The earlier versions of the document that champions with columns of their own went by; what was read before is not
    /// read again: a version never changes.
    async fn earlier(
        &self,
        document: &UseCase,
        champions: &BTreeMap<String, Champion>,
        kept: Option<&Known>,
    ) -> Result<Earlier, Error> {
        let present = document.columns();
        let mut earlier = Earlier::new();
        for champion in champions.values() {
            let version = &champion.config_version;
            if earlier.contains_key(version) || champion.columns.iter().all(|name| present.contains(name)) {
                continue;
            }
            let known = kept.and_then(|kept| kept.earlier.get(version).cloned());
            let columns = match known {
                Some(columns) => columns,
                None => match self.use_cases.version(&document.use_case, version).await {
                    Ok(earlier) => earlier.schema.columns,
                    Err(error @ Error::Document { .. }) => {
                        tracing::warn!(%error, model = champion.model, "the champion's columns are known by name alone");
                        Vec::new()
                    }
                    Err(error) => return Err(error),
                },
            };
            earlier.insert(version.clone(), columns);
        }
        Ok(earlier)
    }

    fn keep(&self, use_case: &str, kept: Kept) {
        self.kept().insert(use_case.to_owned(), kept);
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        // Nothing panics while it holds the lock; if it did, the map would still be whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The columns that the champions have and the document has no more.
fn former(document: &UseCase, champions: &BTreeMap<String, Champion>, earlier: &Earlier) -> Vec<Former> {
    let present = document.columns();
    let mut found: BTreeMap<&str, Former> = BTreeMap::new();
    for (model, champion) in champions {
        for name in champion.columns.iter().filter(|name| !present.contains(name)) {
            let former = found.entry(name).or_insert_with(|| Former {
                name: name.clone(),
                column: None,
                models: Vec::new(),
            });
            former.models.push(model.clone());
            let mut columns = earlier.get(&champion.config_version).into_iter().flatten();
            let column = columns.find(|column| column.name == *name);
            if former.column.is_none() {
                former.column = column.map(|column| Column {
                    required: false,
                    ..column.clone()
                });
            }
        }
    }
    found.into_values().collect()
}
