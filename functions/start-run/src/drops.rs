//! What people drop: rows to train on, rows to score, ground truth.

use crate::check::{self, Columns, Refusal};
use crate::claims::{Claim, Wanted};
use crate::request::Promote;
use crate::{Error, Outcome, Response, StartRun, copies};
use aws_sdk_s3::error::ProvideErrorMetadata;
use contracts::places::{self, Drop};
use contracts::promotion::Word;
use contracts::queue::Untold;
use contracts::run::{ObjectVersion, RunKind, Source};
use contracts::{Manifest, Notice, RunId, Severity};
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

    pub(crate) async fn rerun(&self, use_case: &str, run_id: &str, now: Timestamp) -> Result<Response, Error> {
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
        if let Source::Promotion {
            promoted_model,
            from_run,
            action,
            by,
            reason,
            anyway,
            ..
        } = manifest.source
        {
            // One that has failed is asked for again, as it was.
            let asked = Promote {
                word: Word {
                    use_case: use_case.to_owned(),
                    model: promoted_model,
                    run_id: from_run,
                    by,
                    reason,
                },
                action,
                anyway,
            };
            return self.promote(&asked, now).await;
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

    /// Whether an object's size and first bytes will do.
    pub(crate) async fn check(&self, object: &ObjectVersion, columns: &Columns) -> Result<Result<(), Refusal>, Error> {
        if let Err(refusal) = check::size(object.bytes, columns.max_bytes) {
            return Ok(Err(refusal));
        }
        let request = self.documents.client().get_object();
        let request = request
            .bucket(&object.bucket)
            .key(&object.key)
            .version_id(&object.version_id);
        let call = || format!("GetObject {}", places::uri(&object.bucket, &object.key));
        let answer = match request
            .range(format!("bytes=0-{}", check::WINDOW_BYTES - 1))
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if copies::is_gone(error.code()) => return Ok(Err(copies::vanished(&object.version_id))),
            Err(error) => return Err(platform::Error::aws_call(call(), &error).into()),
        };
        let head = answer.body.collect().await.map_err(|error| platform::Error::AwsCall {
            call: call(),
            code: "ResponseUnreadable".to_owned(),
            message: error.to_string(),
        })?;
        Ok(check::head(&head.to_vec(), object.bytes, columns))
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

/// The object versions that a run works on. Manifests older than scoring name the dropped one alone.
pub(crate) fn inputs(manifest: &Manifest) -> Vec<ObjectVersion> {
    if manifest.inputs.is_empty() {
        manifest.source.object().cloned().into_iter().collect()
    } else {
        manifest.inputs.clone()
    }
}

/// What people are told of a drop that starts nothing.
pub(crate) fn refusal_notice(use_case: &str, file: &str, refusal: &Refusal) -> Notice {
    let name = file.rsplit('/').next().unwrap_or(file);
    Notice::new(
        use_case,
        Severity::Warning,
        &format!("{name} was refused"),
        &format!(
            "The file {name} {}. No run was started; the file stays where it is.",
            refusal.reason
        ),
    )
    .line("file", file)
    .line("reason", &refusal.reason)
    .line("what to do", &refusal.remedy)
}
