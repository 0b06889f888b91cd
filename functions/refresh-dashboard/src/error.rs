//! What can go wrong.

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The page could not be made of what was read. `error_type`: `DashboardUnmade`.
    #[error("the dashboard of {of} can't be made: {reason}")]
    DashboardUnmade {
        /// The use case, or all of them.
        of: String,
        /// What the template says.
        reason: String,
    },
    /// A call of AWS failed, or the use case has no document.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error { DashboardUnmade });
