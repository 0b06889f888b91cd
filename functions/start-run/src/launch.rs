//! The steps after the claim, for each kind of run. Each can be done again: a call that died is carried on from the first.

use crate::check::Columns;
use crate::{Error, Response, StartRun};
use contracts::run::{RunKind, Source};
use contracts::{Manifest, RunState};
use jiff::Timestamp;
use platform::Versioned;

impl StartRun {
    /// Checks what was claimed, and has it started: a training run when there is room for it.
    pub(crate) async fn launch(&self, claim: Versioned<Manifest>, now: Timestamp) -> Result<Response, Error> {
        let document = match self.document(&claim.value).await? {
            Ok(document) => document,
            Err(refusal) => return self.refuse(claim, &refusal, now).await,
        };
        if claim.value.kind == RunKind::Scoring {
            // Boxed: nested any deeper, the compiler gives up on the future's layout.
            return Box::pin(self.launch_scoring(claim, &document, now)).await;
        }
        if claim.value.kind == RunKind::Promotion {
            return Box::pin(self.launch_promotion(claim, &document, now)).await;
        }
        // What drift trains on was checked when it was chosen, or is the platform's own.
        if let Source::Drop(object) = &claim.value.source
            && let Err(refusal) = self.check(object, &Columns::of_training(&document)).await?
        {
            return self.refuse(claim, &refusal, now).await;
        }
        // Refused here, it overtakes nothing.
        if let Err(refusal) = self.planned(&claim.value, &document) {
            return self.refuse(claim, &refusal, now).await;
        }
        // What somebody has asked for by name waits for nothing.
        if claim.value.run_id.is_rerun() {
            self.occupy(&claim.value, now).await?;
            return self.start_training(claim, &document, now).await;
        }
        Box::pin(self.enqueue(claim, document.drops.max_concurrent_runs, now)).await
    }

    /// Goes on with a run that an earlier call has queued.
    pub(crate) async fn go_on_queued(&self, manifest: &Manifest, now: Timestamp) -> Result<Response, Error> {
        let limit = match self.document(manifest).await? {
            Ok(document) => document.drops.max_concurrent_runs,
            // It is refused when its turn comes.
            Err(_) => 1,
        };
        if self.has_place(&manifest.use_case, &manifest.run_id).await? {
            // The call that took its place may have died: it is started once, whoever does.
            let claim = self.manifest(&manifest.use_case, &manifest.run_id).await?;
            if let Some(claim) = claim.filter(|claim| claim.value.state == RunState::Queued) {
                return Box::pin(self.start_queued(claim, now)).await;
            }
        }
        self.go_on(&manifest.use_case, &manifest.run_id, limit, now).await
    }
}
