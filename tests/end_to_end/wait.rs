//! Waiting for what will be so, with an end and a word about what was waited for.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a run may take: minutes, on a busy machine of two cores.
pub const RUN: Duration = Duration::from_secs(300);
/// How long anything may take that is done in a moment.
pub const MOMENT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(300);

/// Looks again and again until there is something; panics with `what` when there is nothing in time.
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
