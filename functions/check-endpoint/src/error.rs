//! Why there is no answer.

/// Why there is no answer. Whatever an endpoint may be like is an answer, never an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `UseCaseOnboarded`: the endpoints of a use case that is in service are not to be deleted.
    #[error("use case `{0}` is in service: `drivetrain offboard` removes its parameters first")]
    UseCaseOnboarded(String),
    /// What `platform` says.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error { UseCaseOnboarded });
