//! Training runs of a use case that wait for each other, and notices that are still to be sent about files that started
//! nothing.
//!
//! Each waiting run has an empty marker in a folder, [`crate::places::use_case::claimed`] or
//! [`crate::places::use_case::queued`]. In a flood of drops, every call writes a key of its own and waits for no other.

use crate::run::{RunId, RunKind};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `trainings.json` of a use case: the training runs under way. Written conditionally, so that many simultaneous calls
/// together start no more runs than the document allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trainings {
    /// The training runs, by id.
    pub runs: BTreeMap<RunId, Training>,
}

/// A training run under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// When its place was taken; its execution is started right after.
    pub since: Timestamp,
    /// Whether drift has started it: such a run doesn't overtake a drop.
    #[serde(default)]
    pub by_drift: bool,
}

impl Trainings {
    /// The run under way that overtakes a queued one: the newest that is newer than it. A run that drift started
    /// overtakes only runs that drift started.
    pub fn overtaker(&self, queued: &RunId, by_drift: bool) -> Option<&RunId> {
        let newer = self.runs.iter().rev().take_while(|(run, _)| *run > queued);
        newer
            .map(|(run, of)| (run, of.by_drift))
            .find(|(_, it)| by_drift || !it)
            .map(|(run, _)| run)
    }
}

/// A document below `untold/`: a file that started nothing and that people have not been notified of yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// `s3://bucket/key` of the file, or what else the run was started from.
    pub subject: String,
    /// The file's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The run that the file would have started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The kind of that run; none if the file itself says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RunKind>,
    /// Continues a sentence that begins with the file's name: `is empty`, `was overtaken by …`.
    pub reason: String,
    /// What to do about it, as a sentence.
    pub remedy: String,
    /// When this was recorded.
    pub at: Timestamp,
}

/// Why a file started nothing. Each reason is reported in mails of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The file can't be used.
    Refused,
    /// A newer file was started while this one was queued.
    Overtaken,
}

impl Why {
    /// Name of the reason's folder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Overtaken => "overtaken",
        }
    }
}

/// Number of mails about refused files that are sent at once within [`TOLD_WITHIN`]; further refusals are collected.
pub const TOLD_AT_ONCE: usize = 5;
/// The period in which at most [`TOLD_AT_ONCE`] mails are sent.
pub const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// How long a call may take to send its notices. After that, another call may take over from one that has died.
pub const TELLING: SignedDuration = SignedDuration::from_mins(6);

/// `telling.json` of a use case: when mails about refused files were last sent, and whether a call is sending them now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Times of the last mails.
    #[serde(default)]
    pub told: Vec<Timestamp>,
    /// Until when one call alone may send notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_until: Option<Timestamp>,
    /// The runs named in the last mail about overtaken files, newest last, for `drivetrain status`.
    #[serde(default)]
    pub overtaken: Vec<RunId>,
}

impl Telling {
    /// The state after a call has reserved the sending of notices. `None` while another call has it, or when enough
    /// mails were sent lately, unless one is `due` anyway.
    #[must_use]
    pub fn taken(&self, due: bool, now: Timestamp) -> Option<Self> {
        if self.busy_until.is_some_and(|until| until > now) {
            return None;
        }
        let mut told = self.told.clone();
        told.retain(|time| now.duration_since(*time) < TOLD_WITHIN);
        if !due && told.len() >= TOLD_AT_ONCE {
            return None;
        }
        Some(Self {
            told,
            busy_until: Some(now + TELLING),
            overtaken: self.overtaken.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(second: i64) -> RunId {
        RunId::for_drop(Timestamp::from_second(1_795_372_200 + second).unwrap(), "b", "k", "v")
    }

    fn under_way(runs: &[(i64, bool)]) -> Trainings {
        let since = Timestamp::UNIX_EPOCH;
        let runs = runs.iter().map(|(second, by_drift)| {
            (
                run(*second),
                Training {
                    since,
                    by_drift: *by_drift,
                },
            )
        });
        Trainings { runs: runs.collect() }
    }

    #[test]
    fn a_newer_drop_overtakes_and_drift_overtakes_drift_alone() {
        let trainings = under_way(&[(1, false), (5, false), (7, true)]);
        assert_eq!(trainings.overtaker(&run(3), false), Some(&run(5)));
        assert_eq!(trainings.overtaker(&run(6), false), None);
        assert_eq!(trainings.overtaker(&run(6), true), Some(&run(7)));
        assert_eq!(trainings.overtaker(&run(8), true), None);
        let text = serde_json::to_string(&trainings).unwrap();
        assert_eq!(serde_json::from_str::<Trainings>(&text).unwrap(), trainings);
    }

    #[test]
    fn a_few_mails_go_out_at_once_and_one_call_is_at_it() {
        let at = |second: i64| Timestamp::from_second(1_795_372_200 + second).unwrap();
        let mut telling = Telling::default();
        for second in 0..5 {
            let taken = telling.taken(false, at(second)).unwrap();
            assert_eq!(taken.taken(true, at(second)), None, "another call is at it");
            assert!(taken.taken(true, at(second + 361)).is_some(), "it has died");
            telling = Telling {
                busy_until: None,
                ..taken
            };
            telling.told.push(at(second));
        }
        assert_eq!(telling.taken(false, at(5)), None);
        assert!(telling.taken(true, at(5)).is_some());
        assert!(telling.taken(false, at(600)).is_some());
    }
}
