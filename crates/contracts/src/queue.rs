//! Training runs of a use case that wait for each other, and what people are yet to be told of files that started nothing.
//!
//! Which runs wait stands in folders with an empty marker a run, [`crate::places::use_case::claimed`] and
//! [`crate::places::use_case::queued`]: a flood of drops writes a key each, and none waits for another's write.

use crate::run::{RunId, RunKind};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `trainings.json` of a use case: the training runs under way. Written on condition that it is as it was found, so that
/// of many calls at once no more start a run than the document allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trainings {
    /// By run.
    pub runs: BTreeMap<RunId, Training>,
}

/// A training run under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// When its place was taken; its execution is started right after.
    pub since: Timestamp,
    /// Whether drift has asked for it: such a run overtakes no drop.
    #[serde(default)]
    pub by_drift: bool,
}

impl Trainings {
    /// The run that overtakes a queued one: the newest under way that is newer, and is a drop's unless both are drift's.
    pub fn overtaker(&self, queued: &RunId, by_drift: bool) -> Option<&RunId> {
        let newer = self.runs.iter().rev().take_while(|(run, _)| *run > queued);
        newer
            .map(|(run, of)| (run, of.by_drift))
            .find(|(_, it)| by_drift || !it)
            .map(|(run, _)| run)
    }
}

/// A document below `untold/`: a file that started nothing, which people have not been told of yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// `s3://bucket/key` of the file, or what else the run was made of.
    pub subject: String,
    /// The file's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The run that it would have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The kind of that run; none where the file itself says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RunKind>,
    /// Goes on from the file's name: `is empty`, `was overtaken by …`.
    pub reason: String,
    /// What people can do: a sentence.
    pub remedy: String,
    /// When it was written down.
    pub at: Timestamp,
}

/// Why a file started nothing. People hear of each reason in mails of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It can't be used.
    Refused,
    /// A newer one was started while it was queued.
    Overtaken,
}

impl Why {
    /// The folder's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Overtaken => "overtaken",
        }
    }
}

/// So many mails of refusals go out at once within [`TOLD_WITHIN`]; what is refused after that is gathered.
pub const TOLD_AT_ONCE: usize = 5;
/// See [`TOLD_AT_ONCE`].
pub const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// How long a call may take for telling; one that died holds others up no longer.
pub const TELLING: SignedDuration = SignedDuration::from_mins(6);

/// `telling.json` of a use case: when people were last told of refused files, and whether a call is at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// The times of the last mails.
    #[serde(default)]
    pub told: Vec<Timestamp>,
    /// Until when a call has the telling to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_until: Option<Timestamp>,
    /// The runs of the last mail of overtaken files, for `drivetrain status`; the newest last.
    #[serde(default)]
    pub overtaken: Vec<RunId>,
}

impl Telling {
    /// The telling taken by a call; `None` while another has it, or, unless it is `due` anyway, when enough mails have
    /// gone out lately.
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
