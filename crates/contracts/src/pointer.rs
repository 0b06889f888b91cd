//! The pointer to a use-case document, kept in Parameter Store.

use serde::{Deserialize, Serialize};

/// Where the document lies, in which version, and what it must hash to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigPointer {
    /// `s3://bucket/use-cases/<use-case>/config.json`.
    pub uri: String,
    /// The object version.
    pub version_id: String,
    /// Of the stored bytes, in lower-case hex.
    pub sha256: String,
    /// Under which onboarding: another one each time that the use case is stored after it was removed; an update of the
    /// document keeps it. Use cases that were stored before it was written have none until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarding: Option<String>,
}

impl ConfigPointer {
    /// Whether `bytes` are what the pointer points at.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        sha256(bytes) == self.sha256
    }
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    crate::run::hex(&Sha256::digest(bytes))
}
