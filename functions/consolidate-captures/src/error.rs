//! What can go wrong.

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model has no champion, so there are no answers to monitor. `error_type`: `ChampionMissing`.
    #[error("{model} of use case `{use_case}` has no champion: train it before it is watched")]
    ChampionMissing {
        /// The use case.
        use_case: String,
        /// The model.
        model: String,
    },
    /// The Glue job has not left the output that the next step needs. `error_type`: `GlueOutputMissing`.
    #[error("{0} is missing: look at the log of the Glue job")]
    GlueOutputMissing(String),
    /// Another run has committed a window while the Glue job ran, and that window has the same captures. `error_type`:
    /// `BookmarkChanged`.
    #[error(
        "window {window} of {model} was committed by another run while this one's was consolidated: the next run continues"
    )]
    BookmarkChanged {
        /// The model.
        model: String,
        /// The number of the window that both runs have made.
        window: u64,
    },
    /// A step was called for a run that has made no window. `error_type`: `WindowMissing`.
    #[error("{0} is missing: the run has made no window to continue with")]
    WindowMissing(String),
    /// A call of AWS failed, or a document can't be read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    ChampionMissing,
    GlueOutputMissing,
    BookmarkChanged,
    WindowMissing
});
