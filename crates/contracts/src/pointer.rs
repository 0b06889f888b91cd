//! The pointer to a use-case document, kept in Parameter Store.

use serde::{Deserialize, Serialize};

/// The URI, version and hash of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigPointer {
    /// `s3://bucket/use-cases/<use-case>/config.json`.
    pub uri: String,
    /// The version of that object.
    pub version_id: String,
    /// SHA-256 of the stored bytes, in lower-case hex.
    pub sha256: String,
    /// Id of the onboarding: a new one each time the use case is stored after a removal; an update of the document
    /// keeps it. Absent in pointers that were stored before it was introduced, until the next update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarding: Option<String>,
}

impl ConfigPointer {
    /// Whether `bytes` are the document that the pointer refers to.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        sha256(bytes) == self.sha256
    }
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    crate::run::hex(&Sha256::digest(bytes))
}
