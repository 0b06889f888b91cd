//! What can go wrong.

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No event of an execution's status. `error_type`: `EventInvalid`.
    #[error("the event can't be used: {0}")]
    EventInvalid(String),
    /// A call of AWS failed, or a document doesn't read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error { EventInvalid });
