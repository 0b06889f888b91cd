//! Scoring runs: a file is scored by the champions that there are, or waits for the first.

use crate::check::{Columns, Refusal};
use crate::plan::{self, Job};
use crate::{Error, Outcome, Response, StartRun};
use contracts::places::{self, RunPlaces};
use contracts::scoring::{CombineJob, ScoringChampion};
use contracts::use_case::Combine;
use contracts::{Champion, Manifest, Notice, RunId, RunState, Severity, UseCase, payload};
use jiff::Timestamp;
use platform::Versioned;
use platform::documents::Condition;
use serde_json::json;
use std::collections::BTreeMap;

/// The champions that can score a use case's rows, by model.
pub(crate) type Champions = BTreeMap<String, Champion>;

impl StartRun {
    /// Checks the file and starts its run, lets it wait for a champion, or refuses it.
    pub(crate) async fn launch_scoring(
        &self,
        claim: Versioned<Manifest>,
        document: &UseCase,
        now: Timestamp,
    ) -> Result<Response, Error> {
        if let Combine::Lambda { function } = &document.prediction.combine {
            return self.refuse(claim, &needs_a_function(function), now).await;
        }
        if let Some(object) = claim.value.source.object()
            && let Err(refusal) = self.check(object, &Columns::of_scoring(document)).await?
        {
            return self.refuse(claim, &refusal, now).await;
        }
        let champions = self.champions(document).await?;
        if combine::suffices(document, |model| champions.contains_key(model)) {
            return self.score(claim, document, &champions, now).await;
        }
        // The marker comes first: a champion that is exported from now on finds it, and one that was exported before
        // is found by the second look.
        let marker = marker(&claim.value.use_case, &claim.value.run_id);
        self.documents.put(&marker, &json!({}), Condition::Always).await?;
        let champions = self.champions(document).await?;
        if combine::suffices(document, |model| champions.contains_key(model)) {
            let answer = self.score(claim, document, &champions, now).await?;
            self.documents.delete(&marker).await?;
            return Ok(answer);
        }
        self.wait(claim, document, &champions).await
    }

    /// The champions of the document's schema, as they are now.
    pub(crate) async fn champions(&self, document: &UseCase) -> Result<Champions, Error> {
        let mut champions = Champions::new();
        for model in &document.models {
            let key = places::use_case::champion(&document.use_case, &model.name);
            let champion = self.documents.get::<Champion>(&key).await?.map(|found| found.value);
            // One of another schema reads other rows.
            if let Some(champion) = champion.filter(|it| it.schema_hash == document.schema_hash()) {
                champions.insert(model.name.clone(), champion);
            }
        }
        Ok(champions)
    }

    /// Fixes the champions and starts the run.
    ///
    /// Of two calls at once, for two champions that are exported together, say, the first that writes the job chooses.
    /// The other, and one that carries a dead call on, go by what is written: plan and job name the same champions.
    async fn score(
        &self,
        claim: Versioned<Manifest>,
        document: &UseCase,
        champions: &Champions,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let manifest = &claim.value;
        let (use_case, run_id) = (&manifest.use_case, &manifest.run_id);
        let key = RunPlaces { use_case, run_id }.code() + "scoring.json";
        let job = CombineJob {
            run_id: manifest.run_id.clone(),
            document: document.clone(),
            scored_at: manifest.claimed_at,
            models: champions.iter().map(|(model, it)| (model.clone(), of(it))).collect(),
            rows_per_part: Some(payload::rows_per_request(
                champions.values().map(|it| it.encoded_row_bytes),
            )),
        };
        let (job, champions) = match self.documents.put(&key, &job, Condition::Absent).await? {
            Some(_) => (job, champions.clone()),
            None => {
                let chosen = self.documents.get::<CombineJob>(&key).await?.map(|found| found.value);
                let job = chosen.ok_or_else(|| Error::DocumentContended(places::uri(&self.settings.bucket, &key)))?;
                let champions = self.chosen(&job).await?;
                (job, champions)
            }
        };
        let plan = plan::scoring(
            &job.document,
            &self.settings,
            &Job {
                run_id: &manifest.run_id,
                config_version: &manifest.config_version,
                onboarding: None,
                started_by_drift: false,
            },
            &champions,
        );
        // serde_json fails on maps without text keys and on failing writers; a plan has neither.
        let text = serde_json::to_string(&plan).unwrap_or_default();
        if let Err(refusal) = self.copy(manifest).await? {
            return self.refuse(claim, &refusal, now).await;
        }
        self.store_code(manifest, &job.document).await?;
        let machine = self.settings.scoring_state_machine_arn.clone();
        self.start_claimed(claim, &machine, text).await
    }

    /// The champions that a job names, of those that there are now or of the former ones.
    async fn chosen(&self, job: &CombineJob) -> Result<Champions, Error> {
        let mut present = self.champions(&job.document).await?;
        let mut chosen = Champions::new();
        for (model, of) in &job.models {
            let champion = match present.remove(model).filter(|it| it.run_id == of.version) {
                Some(champion) => champion,
                None => {
                    let key = places::use_case::history(&job.document.use_case, model, &of.version);
                    let former = self.documents.get::<Champion>(&key).await?;
                    let missing = || platform::Error::Document {
                        place: places::uri(&self.settings.bucket, &key),
                        reason: format!("is not there, and run {} was to be scored by it", job.run_id),
                    };
                    former.ok_or_else(missing)?.value
                }
            };
            chosen.insert(model.clone(), champion);
        }
        Ok(chosen)
    }

    /// Tells people once that a file waits.
    async fn wait(
        &self,
        claim: Versioned<Manifest>,
        document: &UseCase,
        champions: &Champions,
    ) -> Result<Response, Error> {
        let told = claim.value.state == RunState::Waiting;
        let models = document.models.iter().map(|model| model.name.as_str());
        let lacking: Vec<&str> = models.filter(|model| !champions.contains_key(*model)).collect();
        let mut manifest = Manifest {
            reason: Some(format!("no champion of this schema yet: {}", lacking.join(", "))),
            ..claim.value
        };
        let Some(etag) = self.store(&manifest, &claim.etag).await? else {
            return Ok(Response::duplicate(manifest));
        };
        if !told {
            self.notices.publish(&waiting_notice(&manifest, &lacking)).await?;
        }
        let before = manifest.clone();
        manifest.state = RunState::Waiting;
        self.settle(&before, &manifest, &etag).await?;
        Ok(Response {
            outcome: Outcome::Waiting,
            ..Response::duplicate(manifest)
        })
    }
}

fn of(champion: &Champion) -> ScoringChampion {
    ScoringChampion {
        version: champion.run_id.clone(),
        endpoint_config: champion.endpoint_config.clone(),
    }
}

fn marker(use_case: &str, run_id: &RunId) -> String {
    places::use_case::waiting(use_case) + &run_id.to_string()
}

fn needs_a_function(function: &str) -> Refusal {
    Refusal::new(
        format!("can't be scored: the use case combines by the Lambda function {function}, which batches can't call"),
        "Name another rule in `prediction.combine`, or ask the API.",
    )
}

fn waiting_notice(manifest: &Manifest, lacking: &[&str]) -> Notice {
    let file = manifest
        .source
        .object()
        .map(|object| places::uri(&object.bucket, &object.key));
    let file = file.unwrap_or_default();
    let name = file.rsplit('/').next().unwrap_or_default();
    Notice::new(
        &manifest.use_case,
        Severity::Warning,
        &format!("{name} waits for a champion"),
        &format!(
            "The file {name} can't be scored yet: there is no champion that knows its columns. It is taken up by itself \
             when the run that exports one has ended."
        ),
    )
    .line("file", &file)
    .line("lacking", lacking.join(", "))
    .line("run", &manifest.run_id)
    .line("what to do", "Drop a file for training, if none is under way.")
}
