//! The document and the champions of a use case, cached for a while.
//!
//! A newly exported champion answers as soon as the cached one is no longer fresh. If S3 or Parameter Store can't be
//! read, the last reading is used until it is stale: predictions don't depend on them.

use crate::Limits;
use contracts::use_case::Column;
use contracts::{Champion, ConfigPointer, UseCase, places};
use futures::future::try_join_all;
use platform::{Documents, Error, UseCases};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, timeout};

/// What a prediction needs to know about a use case.
#[derive(Debug)]
pub struct Known {
    /// The use-case document.
    pub document: UseCase,
    /// The existing champions, by model.
    pub champions: BTreeMap<String, Champion>,
    /// The columns that champions have and the document no longer has, ordered by name.
    pub former: Vec<Former>,
    pointer: ConfigPointer,
    earlier: Earlier,
}

/// The columns of earlier versions of the document, by version; without versions that can't be used.
type Earlier = BTreeMap<String, Vec<Column>>;

/// A column that the document no longer has, but that champions were trained with.
#[derive(Clone, Debug)]
pub struct Former {
    /// Its name.
    pub name: String,
    /// As the document described it when they were trained, except that it is never required; `None` if that document
    /// can't be read.
    pub column: Option<Column>,
    /// The models whose champions were trained with it.
    pub models: Vec<String>,
}

/// Reads and caches what is known about use cases.
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
    /// Reading is not tried again until `fresh` after this: a store that is down is not called for every request.
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

    /// What is known about a use case.
    ///
    /// # Errors
    /// [`Error::UseCaseUnknown`]; others when nothing has been read recently and nothing can be read now.
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
                tracing::warn!(%error, "the last reading is used");
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

    /// The earlier versions of the document used by champions with other columns. What was read before is not read
    /// again, since a version never changes.
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
                        tracing::warn!(%error, model = champion.model, "only the names of the champion's columns are known");
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
        // No code panics while it holds the lock, and the map would be intact even then.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The columns that champions have and the document no longer has.
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
