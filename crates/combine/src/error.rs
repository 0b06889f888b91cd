//! Why a batch can't be combined.

use std::path::Path;

/// An error of the program. Nothing was written, or it has been removed again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `scoring.json` can't be read.
    #[error("the scoring job can't be used: {0}: run again")]
    JobInvalid(String),
    /// A file of the job's input is missing, or there are unexpected ones.
    #[error("{0}: look at the Prepare job of this run")]
    InputMissing(String),
    /// The document's policy allows no values when a model is missing.
    #[error(
        "{0} did not answer, and the document wants no values without: look at the transform jobs of this run, or at \
         `prediction` in the document"
    )]
    ModelMissing(String),
    /// The combine rule can't be followed by this program.
    #[error(
        "the combine rule can't be followed for files: a function of your own answers requests alone; choose another \
         `prediction.combine` in the document"
    )]
    RuleUnsupported,
    /// The dropped file, prepared rows, rejects and their summary don't match.
    #[error("{0}: the prepared rows are not those of this file; run again")]
    RowsMismatch(String),
    /// A model's answers are not one finite number for each prepared row.
    #[error("{place}: {problem}: look at the transform job of this model")]
    ScoresInvalid {
        /// File and line.
        place: String,
        /// What is wrong there, with the row's id.
        problem: String,
    },
    /// A file can't be read.
    #[error("{file} can't be read: {reason}")]
    FileUnreadable {
        /// Its path within the job's input.
        file: String,
        /// The reason.
        reason: String,
    },
    /// A file can't be written.
    #[error("{file} can't be written: {reason}: is the job's disk full (`preprocessing.volume_gb`)?")]
    WriteFailed {
        /// Its path within the job's output.
        file: String,
        /// The reason.
        reason: String,
    },
    /// A bug in the program.
    #[error("the program has a bug, which the job's log describes: report it")]
    Internal,
}

impl Error {
    /// The stable error type, with which the exit message begins.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::JobInvalid(_) => "JobInvalid",
            Self::InputMissing(_) => "InputMissing",
            Self::ModelMissing(_) => "ModelMissing",
            Self::RuleUnsupported => "RuleUnsupported",
            Self::RowsMismatch(_) => "RowsMismatch",
            Self::ScoresInvalid { .. } => "ScoresInvalid",
            Self::FileUnreadable { .. } => "FileUnreadable",
            Self::WriteFailed { .. } => "WriteFailed",
            Self::Internal => "InternalError",
        }
    }

    pub(crate) fn unreadable(file: impl Into<String>, reason: &impl ToString) -> Self {
        Self::FileUnreadable {
            file: file.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn write(file: &Path, reason: &impl ToString) -> Self {
        Self::WriteFailed {
            file: file.display().to_string(),
            reason: reason.to_string(),
        }
    }
}
