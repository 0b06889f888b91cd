//! Why there is no judgement.

use contracts::ModelRun;

/// Why there is no judgement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `HoldoutUnusable`: the candidate's scores judge nothing.
    #[error("the candidate's holdout scores in {place} can't be used: {reason}; look at its transform job")]
    HoldoutUnusable {
        /// Where they lie.
        place: String,
        /// What is wrong with them.
        reason: String,
    },
    /// `HoldoutMismatch`: both were scored, but not on the same rows.
    #[error(
        "candidate and champion were not scored on the same rows: {candidate_rows} rows in {candidate}, \
         {champion_rows} in {champion}; look at both transform jobs"
    )]
    HoldoutMismatch {
        /// Where the candidate's scores lie.
        candidate: String,
        /// How many they are.
        candidate_rows: u64,
        /// Where the champion's scores lie.
        champion: String,
        /// How many they are.
        champion_rows: u64,
    },
    /// `ChampionNotScored`: the champion was not scored, and not by its own fault.
    #[error(
        "champion {champion} could not be scored, and not by its own fault: {reason}; it goes on serving, and the file can \
         be dropped again or its run be run again (`drivetrain rerun`)"
    )]
    ChampionNotScored {
        /// Its run.
        champion: String,
        /// What went wrong.
        reason: String,
    },
    /// `ScoresUriInvalid`: the plan names no place.
    #[error("`{0}` is not the URI of holdout scores: it must read s3://bucket/prefix/")]
    ScoresUriInvalid(String),
    /// `NotCompared`: there is no comparison to have doubts of.
    #[error("model {} of run {} has not been compared: there is nothing to have doubts of", .0.model, .0.run_id)]
    NotCompared(ModelRun),
    /// `NotRejected`: there is no rejection to tell people of.
    #[error("model {} of run {} has neither been rejected nor held: there is nothing to tell people", .0.model, .0.run_id)]
    NotRejected(ModelRun),
    /// `ChampionChanged`: the champion is no longer the one that a promotion was to take the place of.
    #[error(
        "the champion of {model} was {expected} when the promotion was asked for and is {found} now: look at it, then ask \
         again"
    )]
    ChampionChanged {
        /// The model.
        model: String,
        /// The champion of that time.
        expected: String,
        /// The champion of now.
        found: String,
    },
    /// What `platform` says.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    HoldoutUnusable,
    HoldoutMismatch,
    ChampionNotScored,
    ScoresUriInvalid,
    NotCompared,
    NotRejected,
    ChampionChanged,
});
