//! How a run relates to the present champion. No I/O here.

use contracts::{Champion, RunId};
use platform::Versioned;

/// How a run relates to the present champion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The champion is the run's own candidate.
    Champion,
    /// The champion comes from a newer run, and must not be replaced by an older one's.
    Overtaken,
    /// The champion is not the one that the candidate was compared with.
    OutOfDate,
    /// The candidate may become the champion.
    Challenger,
}

/// The standing of `run_id`, whose candidate was compared with the champion of `compared_etag` (empty: there was none).
pub fn standing(run_id: &RunId, compared_etag: &str, current: Option<&Versioned<Champion>>) -> Standing {
    match current {
        Some(current) if current.value.run_id == *run_id => Standing::Champion,
        Some(current) if current.value.run_id > *run_id => Standing::Overtaken,
        Some(current) if current.etag == compared_etag => Standing::Challenger,
        None if compared_etag.is_empty() => Standing::Challenger,
        _ => Standing::OutOfDate,
    }
}
