//! Ground truth makes no run: consolidation joins it. What may be joined is said here, once for each dropped version, and
//! consolidation reads no other.

use crate::check::{Columns, Refusal};
use crate::{Error, Outcome, Response, StartRun};
use contracts::RunId;
use contracts::monitoring::GroundTruthFile;
use contracts::places;
use contracts::queue::Untold;
use contracts::run::ObjectVersion;
use jiff::{SignedDuration, Timestamp};
use platform::Versioned;
use platform::documents::Condition;

/// A notice that is not out after so long never will be: whoever was to send it has died. Lambda repeats a call that has
/// failed after a minute.
const SENDING: SignedDuration = SignedDuration::from_secs(30);

impl StartRun {
    /// Accepts or refuses a version, and tells people of a refusal: now, not when its labels are missed. Events come more
    /// than once; they hear of it once.
    pub(crate) async fn ground_truth(
        &self,
        use_case: &str,
        object: ObjectVersion,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let file = places::uri(&object.bucket, &object.key);
        let name = RunId::for_drop(object.last_modified, &object.bucket, &object.key, &object.version_id);
        let accepted = format!("{}{name}.json", places::use_case::accepted_ground_truth(use_case));
        let refused = format!("{}{name}.json", places::use_case::refused_ground_truth(use_case));
        let joined = || Response {
            reason: Some(format!("{file} is joined by the next monitoring run")),
            ..Response::of(Outcome::Accepted)
        };
        if self.documents.get::<GroundTruthFile>(&accepted).await?.is_some() {
            return Ok(joined());
        }
        if let Some(found) = self.documents.get::<GroundTruthFile>(&refused).await? {
            return self.refused_before(use_case, &file, &refused, found, now).await;
        }
        let refusal = match self.use_cases.get(use_case).await {
            Ok((document, _)) => self.check(&object, &Columns::of_ground_truth(&document)).await?.err(),
            Err(platform::Error::UseCaseUnknown(_)) => Some(Refusal::new(
                format!("belongs to use case `{use_case}`, which has no document"),
                format!(
                    "Store it with `{}`, then drop the file again.",
                    self.command(&format!("onboard models/{use_case}.yaml"))
                ),
            )),
            Err(error) => return Err(error.into()),
        };
        let judged = GroundTruthFile {
            format: 1,
            object,
            reason: refusal.as_ref().map(|refusal| refusal.reason.clone()),
            remedy: refusal.as_ref().map(|refusal| refusal.remedy.clone()),
            judged_at: now,
            told: false,
        };
        let Some(refusal) = refusal else {
            // Another call that was faster has said the same.
            self.documents.put(&accepted, &judged, Condition::Absent).await?;
            return Ok(joined());
        };
        match self.documents.put(&refused, &judged, Condition::Absent).await? {
            Some(etag) => {
                let judged = Versioned { value: judged, etag };
                self.tell_refused(use_case, &file, &refused, judged, &refusal).await
            }
            // Another call was faster, and tells.
            None => Ok(refused_response(&file, &refusal)),
        }
    }

    /// A version that was refused before: people are told now if the call that should have done so has died.
    async fn refused_before(
        &self,
        use_case: &str,
        file: &str,
        key: &str,
        mut found: Versioned<GroundTruthFile>,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let refusal = Refusal::new(text(&found.value.reason), text(&found.value.remedy));
        if found.value.told || now.duration_since(found.value.judged_at) < SENDING {
            return Ok(refused_response(file, &refusal));
        }
        found.value.judged_at = now;
        let claimed = self
            .documents
            .put(key, &found.value, Condition::Unchanged(&found.etag))
            .await?;
        let Some(etag) = claimed else {
            return Ok(refused_response(file, &refusal));
        };
        self.tell_refused(use_case, file, key, Versioned { etag, ..found }, &refusal)
            .await
    }

    async fn tell_refused(
        &self,
        use_case: &str,
        file: &str,
        key: &str,
        mut judged: Versioned<GroundTruthFile>,
        refusal: &Refusal,
    ) -> Result<Response, Error> {
        let untold = Untold {
            subject: file.to_owned(),
            version: Some(judged.value.object.version_id.clone()),
            run_id: None,
            kind: None,
            reason: refusal.reason.clone(),
            remedy: refusal.remedy.clone(),
            at: judged.value.judged_at,
        };
        let name = key.rsplit('/').next().unwrap_or(key).trim_end_matches(".json");
        self.tell_refusal(use_case, name, &untold).await?;
        judged.value.told = true;
        self.documents
            .put(key, &judged.value, Condition::Unchanged(&judged.etag))
            .await?;
        Ok(refused_response(file, refusal))
    }
}

fn refused_response(file: &str, refusal: &Refusal) -> Response {
    Response {
        reason: Some(format!("{file} {refusal}")),
        ..Response::of(Outcome::Refused)
    }
}
