//! How a run stands to the champion that is there. No I/O here.

use contracts::{Champion, RunId};
use platform::Versioned;

/// How a run stands to the present champion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The champion is its own.
    Champion,
    /// The champion is a newer run's: never to be replaced by an older one.
    Overtaken,
    /// The champion is not the one that the candidate was compared with.
    OutOfDate,
    /// The candidate may become the champion.
    Challenger,
}

/// How `run_id`, whose candidate was compared with the champion of `compared_etag` (empty: with none), stands.
pub fn standing(run_id: &RunId, compared_etag: &str, current: Option<&Versioned<Champion>>) -> Standing {
    match current {
        Some(current) if current.value.run_id == *run_id => Standing::Champion,
        Some(current) if current.value.run_id > *run_id => Standing::Overtaken,
        Some(current) if current.etag == compared_etag => Standing::Challenger,
        None if compared_etag.is_empty() => Standing::Challenger,
        _ => Standing::OutOfDate,
    }
}
