//! What can go wrong.

use contracts::RunId;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither one of its events nor a direct call. `error_type`: `EventInvalid`.
    #[error("the event can't be used: {0}")]
    EventInvalid(String),
    /// A rerun of a run that never was. `error_type`: `RunUnknown`.
    #[error("use case `{use_case}` has no run `{run_id}`: name one of s3://{bucket}/{use_case}/runs/")]
    RunUnknown {
        /// The bucket that was looked in.
        bucket: String,
        /// The use case.
        use_case: String,
        /// What was asked for.
        run_id: String,
    },
    /// A look at a model that can't be watched. `error_type`: `NotWatched`.
    #[error("{model} of use case `{use_case}` can't be watched: {reason}")]
    NotWatched {
        /// The use case.
        use_case: String,
        /// The model.
        model: String,
        /// What it lacks, and what to do.
        reason: String,
    },
    /// A promotion or rejection of what there is not. `error_type`: `NoSuchCandidate`.
    #[error("{model} of use case `{use_case}`: {reason}")]
    NoSuchCandidate {
        /// The use case.
        use_case: String,
        /// The model.
        model: String,
        /// What there is not.
        reason: String,
    },
    /// An approval or rejection of a candidate that is not held. `error_type`: `NotHeld`.
    #[error("the candidate of {model} of run {run_id} is not held: {reason}")]
    NotHeld {
        /// The model.
        model: String,
        /// The run.
        run_id: RunId,
        /// What it is instead.
        reason: String,
    },
    /// Somebody has approved or rejected the candidate before, or another's word brings it into service. `error_type`:
    /// `AlreadyDecided`.
    #[error("{model} of run {run_id} has been decided on: {story}")]
    AlreadyDecided {
        /// The model.
        model: String,
        /// The run.
        run_id: RunId,
        /// Who, when and why.
        story: String,
    },
    /// The champion is not the one that a held candidate was compared with. `error_type`: `ChampionChanged`.
    #[error(
        "the candidate of {model} of run {run_id} was compared with champion {expected}, and the champion is {found} now: \
         look at both; to approve it all the same, say `anyway`"
    )]
    ChampionChanged {
        /// The model.
        model: String,
        /// The candidate's run.
        run_id: RunId,
        /// The champion of that time.
        expected: String,
        /// The champion of now.
        found: String,
    },
    /// What is promoted was trained on other raw columns, or predicts in another unit. `error_type`: `SchemaChanged`.
    #[error(
        "the model of run {run_id} can't be {model} any more: {reason}. Store the document of that time again with \
         `drivetrain onboard`, or train anew"
    )]
    SchemaChanged {
        /// The model.
        model: String,
        /// The run.
        run_id: RunId,
        /// What has changed.
        reason: String,
    },
    /// What is promoted is the champion. `error_type`: `AlreadyChampion`.
    #[error("the model of run {run_id} is the champion of {model} (version {champion}): there is nothing to do")]
    AlreadyChampion {
        /// The model.
        model: String,
        /// The run that was named.
        run_id: RunId,
        /// The champion's version.
        champion: RunId,
    },
    /// Other calls changed a document at every look. `error_type`: `DocumentContended`; worth a retry.
    #[error("{0} is being changed by other calls at every look: call again")]
    DocumentContended(String),
    /// A call of AWS failed, or a document doesn't read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    EventInvalid,
    RunUnknown,
    NotWatched,
    NoSuchCandidate,
    NotHeld,
    AlreadyDecided,
    ChampionChanged,
    SchemaChanged,
    AlreadyChampion,
    DocumentContended,
});
