//! How long things may take and last.

use std::time::Duration;

/// How long things may take and last.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// An answer. Below the 29 s after which API Gateway gives up.
    pub deadline: Duration,
    /// What is known of a use case serves this long before it is read again.
    pub fresh: Duration,
    /// Reading it again may take this long while the earlier reading can serve.
    pub refresh: Duration,
    /// What is known serves this long when it can't be read again.
    pub stale: Duration,
    /// A use case that there is none of is not looked for again within this time.
    pub unknown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(25),
            fresh: Duration::from_secs(10),
            refresh: Duration::from_secs(2),
            stale: Duration::from_secs(300),
            unknown: Duration::from_secs(30),
        }
    }
}
