//! Waiting for a condition, with a time limit and a description of what was waited for.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a run may take: minutes, on a busy machine of two cores.
pub const RUN: Duration = Duration::from_secs(300);
/// The time limit for anything that normally takes a moment.
pub const MOMENT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(300);

/// Calls `look` until it returns something; panics with `what` if it does not in time.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "after {} s still not: {what}",
            limit.as_secs()
        );
        sleep(PAUSE).await;
    }
}
