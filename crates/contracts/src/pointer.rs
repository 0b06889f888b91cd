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
