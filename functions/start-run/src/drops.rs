//! What people drop: rows to train on, rows to score, ground truth.

use crate::check::Refusal;
use crate::claims::{Claim, Wanted, inputs};
use crate::{Error, Outcome, Response, StartRun, copies};
use contracts::RunId;
use contracts::places::{self, Drop};
use contracts::queue::Untold;
use contracts::run::{RunKind, Source};
use jiff::Timestamp;

impl StartRun {
    pub(crate) async fn drop(&self, key: &str, version_id: &str, now: Timestamp) -> Result<Response, Error> {
        let Some((use_case, drop)) = places::parse_drop(key) else {
            return Ok(Response::ignored(format!("{key} is no drop")));
        };
        let Some(object) = self.object(key, Some(version_id)).await? else {
            return self.refuse_vanished(use_case, key, version_id, now).await;
        };
        let kind = match drop {
            Drop::Training => RunKind::Training,
            Drop::Scoring => RunKind::Scoring,
            Drop::GroundTruth => return self.ground_truth(use_case, object, now).await,
        };
        let run_id = self.run_of(&object).await?;
        let wanted = Wanted {
            use_case,
            run_id: &run_id,
            kind,
            source: Source::Drop(object.clone()),
            inputs: vec![object],
        };
        match self.claim(wanted, now).await? {
            Claim::Ours(claim) => self.launch(claim, now).await,
            Claim::Queued(manifest) => self.go_on_queued(&manifest, now).await,
            Claim::Done(manifest) => Ok(Response::duplicate(manifest)),
        }
    }

    pub(crate) async fn rerun(
        &self,
        use_case: &str,
        run_id: &str,
        by: Option<String>,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let unknown = || Error::RunUnknown {
            bucket: self.settings.bucket.clone(),
            use_case: use_case.to_owned(),
            run_id: run_id.to_owned(),
        };
        let named = RunId::parse(run_id).ok_or_else(unknown)?;
        let manifest = self.manifest(use_case, &named).await?.ok_or_else(unknown)?.value;
        if let Source::Tick { watched_model, .. } = &manifest.source {
            // A window that failed is open still: the next look makes it again.
            return self.monitor(use_case, Some(watched_model), now).await;
        }
        if let Source::Promotion { .. } = &manifest.source {
            return Box::pin(self.promote_again(&manifest, by, now)).await;
        }
        let inputs = inputs(&manifest);
        for input in &inputs {
            if self.object(&input.key, Some(&input.version_id)).await?.is_none() {
                return self.refuse_vanished(use_case, &input.key, &input.version_id, now).await;
            }
        }
        let mut next = named.first().rerun();
        loop {
            // Numbers that are done are passed over. One that was only claimed is that of a call that died, or of
            // one that asks for the same at this moment: it is gone on with.
            let wanted = Wanted {
                use_case,
                run_id: &next,
                kind: manifest.kind,
                source: manifest.source.clone(),
                inputs: inputs.clone(),
            };
            if let Claim::Ours(claim) = self.claim(wanted, now).await? {
                return self.launch(claim, now).await;
            }
            next = next.rerun();
        }
    }

    /// A version that is gone has no time, and so no run that could remember that people were told.
    async fn refuse_vanished(
        &self,
        use_case: &str,
        key: &str,
        version_id: &str,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let file = places::uri(&self.settings.bucket, key);
        self.refuse_file(use_case, &file, version_id, &copies::vanished(version_id), now)
            .await
    }

    /// Tells people of a file that makes no run.
    async fn refuse_file(
        &self,
        use_case: &str,
        file: &str,
        version_id: &str,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let untold = Untold {
            subject: file.to_owned(),
            version: Some(version_id.to_owned()),
            run_id: None,
            kind: None,
            reason: refusal.reason.clone(),
            remedy: refusal.remedy.clone(),
            at: now,
        };
        // The digits of a run that there is none of stand for the version.
        let name = RunId::for_drop(now, &self.settings.bucket, file, version_id);
        self.tell_refusal(use_case, &name.to_string(), &untold).await?;
        Ok(Response {
            reason: Some(format!("{file} {refusal}")),
            ..Response::of(Outcome::Refused)
        })
    }
}
