//! Runs: their ids and their manifest.

use crate::action::Action;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// Id of a run: `20261122t183000z-ab12cd34`, and `…-r2`, `…-r3` when it is run again.
///
/// The time is the last-modified time of the dropped object's version; the digits are the start of a SHA-256 over
/// bucket, key and version. Ids sort by time, so a newer drop has a greater id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId {
    time: String,
    digits: String,
    attempt: u32,
}

impl RunId {
    /// The run of a dropped object version.
    pub fn for_drop(last_modified: Timestamp, bucket: &str, key: &str, version_id: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [bucket, key, version_id] {
            hash.update(part.as_bytes());
            // A separator that can't occur in a part, so that ("a", "bc") and ("ab", "c") differ.
            hash.update([0]);
        }
        Self {
            time: last_modified.strftime("%Y%m%dt%H%M%Sz").to_string(),
            digits: hex(&hash.finalize())[..8].to_owned(),
            attempt: 1,
        }
    }

    /// The monitoring run of a model that is started by a tick.
    pub fn for_tick(tick: Timestamp, use_case: &str, model: &str) -> Self {
        Self::for_drop(tick, use_case, model, &format!("tick {tick}"))
    }

    /// The run of a requested promotion. Its id is greater than that of the champion it replaces and of every training
    /// run that began earlier.
    pub fn for_promotion(asked_at: Timestamp, use_case: &str, model: &str, from_run: &Self) -> Self {
        // The time is used to the nanosecond, so that a repeated request gets names of its own.
        Self::for_drop(
            asked_at,
            use_case,
            model,
            &format!("promotion of {from_run} at {asked_at}"),
        )
    }

    /// The training run that is started because a monitoring run has found drift.
    pub fn for_drift(found_at: Timestamp, use_case: &str, found_by: &Self) -> Self {
        Self::for_drop(found_at, use_case, &found_by.to_string(), "drift")
    }

    /// Id for holding the lease of a model's endpoint while a tick repairs or retires it. It belongs to no visible run.
    pub fn for_repair(now: Timestamp, use_case: &str, model: &str) -> Self {
        Self::for_drop(now, use_case, model, "repair")
    }

    /// Parses a run id; `None` if the text isn't one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (time, digits) = (parts.next()?, parts.next()?);
        let attempt = match parts.next() {
            None => 1,
            Some(rerun) => rerun.strip_prefix('r')?.parse().ok().filter(|attempt| *attempt > 1)?,
        };
        let well_formed = time.len() == 16
            && time.bytes().enumerate().all(|(position, byte)| match position {
                8 => byte == b't',
                15 => byte == b'z',
                _ => byte.is_ascii_digit(),
            })
            && digits.len() == 8
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let run = Self {
            time: time.to_owned(),
            digits: digits.to_owned(),
            attempt,
        };
        (well_formed && parts.next().is_none() && run.to_string() == text).then_some(run)
    }

    /// The time of its drop; `None` if the digits are not a valid time.
    pub fn time(&self) -> Option<Timestamp> {
        let time = DateTime::strptime("%Y%m%dt%H%M%Sz", &self.time).ok()?;
        TimeZone::UTC.to_timestamp(time).ok()
    }

    /// Id for running the same drop again: `-r2` after the first run.
    pub fn rerun(&self) -> Self {
        Self {
            attempt: self.attempt + 1,
            ..self.clone()
        }
    }

    /// Whether this is a repeated run of a drop.
    pub fn is_rerun(&self) -> bool {
        self.attempt > 1
    }

    /// The first run of the same drop.
    pub fn first(&self) -> Self {
        Self {
            attempt: 1,
            ..self.clone()
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time, self.digits)?;
        if self.attempt > 1 {
            write!(f, "-r{}", self.attempt)
        } else {
            Ok(())
        }
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a run id")))
    }
}

impl JsonSchema for RunId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RunId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[0-9]{8}t[0-9]{6}z-[0-9a-f]{8}(-r[0-9]+)?$"})
    }
}

/// `runs/<run_id>/run.json`: what a run was started from, and how far it has come.
///
/// It is also the claim that makes a run happen only once: it is written with If-None-Match before anything else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The run.
    pub run_id: RunId,
    /// Its use case.
    pub use_case: String,
    /// What the run does.
    #[serde(default)]
    pub kind: RunKind,
    /// How far start-run has come.
    pub state: RunState,
    /// What started the run.
    pub source: Source,
    /// The dropped object versions that the run uses, copied to its `input/`. A monitoring run has none.
    #[serde(default)]
    pub inputs: Vec<ObjectVersion>,
    /// Version of the document that the run uses.
    pub config_version: String,
    /// Id of the onboarding of the use case under which it was claimed; see [`crate::ConfigPointer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarding: Option<String>,
    /// When the run was claimed.
    pub claimed_at: Timestamp,
    /// ARN of the execution, once started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// Why nothing was started: for runs that were refused or overtaken, or that are waiting or queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For an overtaken run, the run that was started instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overtaken_by: Option<RunId>,
}

/// How far start-run has come with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Claimed; a second call for the same run continues it.
    Claimed,
    /// Waiting for the first champion, which will start it; people were notified.
    Waiting,
    /// Checked and queued: it is started once a training run of the use case has ended, unless a newer run overtakes
    /// it.
    Queued,
    /// A newer run was started while it was queued. It is never started; people were notified or will be.
    Overtaken,
    /// The execution has been started; a second call does nothing.
    Started,
    /// The drop was refused and people were notified; a second call does nothing.
    Refused,
}

/// What a run does: which state machine it is an execution of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// Trains, judges, deploys.
    #[default]
    Training,
    /// Scores a file.
    Scoring,
    /// Monitors a model's live data.
    Monitoring,
    /// Deploys an existing candidate or a former champion.
    Promotion,
}

impl RunKind {
    /// The kind as in reporting rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Scoring => "scoring",
            Self::Monitoring => "monitoring",
            Self::Promotion => "promotion",
        }
    }
}

/// What started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// A dropped file.
    Drop(ObjectVersion),
    /// Drift that a monitoring run has found.
    Drift {
        /// The model whose data or errors drifted.
        drifted_model: String,
        /// The monitoring run that found the drift.
        found_by: RunId,
        /// When it was found.
        found_at: Timestamp,
        /// The drifted features, worst first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        top_features: Vec<String>,
        /// The quality metrics that drifted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        drifted_metrics: Vec<String>,
    },
    /// A scheduled tick, or a person who did not want to wait for the next one.
    Tick {
        /// The model to monitor.
        watched_model: String,
        /// The time of the tick.
        tick: Timestamp,
    },
    /// A person who approves a held candidate or returns to a former champion.
    Promotion {
        /// The model whose candidate or former champion is promoted.
        promoted_model: String,
        /// The run of the candidate or former champion.
        from_run: RunId,
        /// Whether it is an approval or a rollback.
        action: Action,
        /// Who asked for it.
        by: String,
        /// The reason given.
        reason: String,
        /// When it was asked for.
        asked_at: Timestamp,
        /// The version that was champion at the time of the request and is to be replaced; none when there was none.
        replaces: Option<RunId>,
        /// Whether to replace the champion even if it has changed by then.
        anyway: bool,
        /// Who asked for a rerun of it after it had failed; none when nobody did, or is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rerun_by: Option<String>,
    },
}

impl Source {
    /// The dropped file, if the run was started by one.
    pub fn object(&self) -> Option<&ObjectVersion> {
        match self {
            Self::Drop(object) => Some(object),
            Self::Drift { .. } | Self::Tick { .. } | Self::Promotion { .. } => None,
        }
    }
}

/// The time that the run of a version is named after: the version's own time, but at least one second after the time of
/// the previous version of the same key. S3 gives times in whole seconds, so without this two versions within a second
/// would not be ordered. `before` holds the times of the earlier versions, newest first.
pub fn time_in_order(own: Timestamp, before: &[Timestamp]) -> Timestamp {
    let second = SignedDuration::from_secs(1);
    let oldest_first = before.iter().rev().copied().chain([own]);
    oldest_first.reduce(|last, next| next.max(last + second)).unwrap_or(own)
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version id.
    pub version_id: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When the version was written.
    pub last_modified: Timestamp,
}

/// The bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drop_at(second: i64) -> RunId {
        RunId::for_drop(Timestamp::from_second(second).unwrap(), "bucket", "a/b.csv", "v1")
    }

    #[test]
    fn a_drop_has_one_id() {
        assert_eq!(drop_at(1_795_372_200).to_string(), "20261122t183000z-7cb8d16b");
        assert_eq!(drop_at(1_795_372_200), drop_at(1_795_372_200));
    }

    #[test]
    fn a_run_says_when_its_drop_came() {
        assert_eq!(
            drop_at(1_795_372_200).rerun().time(),
            Timestamp::from_second(1_795_372_200).ok()
        );
        let no_time = RunId::parse("20269922t183000z-7cb8d16b").unwrap();
        assert_eq!(no_time.time(), None);
    }

    #[test]
    fn drift_starts_one_run_for_each_run_that_found_it() {
        let found_at = Timestamp::from_second(1_795_372_200).unwrap();
        let of = |found_by: &RunId| RunId::for_drift(found_at, "cars", found_by);
        assert_eq!(of(&drop_at(1)), of(&drop_at(1)));
        assert_ne!(of(&drop_at(1)), of(&drop_at(2)));
        assert_ne!(of(&drop_at(1)), of(&drop_at(1).rerun()));
        assert!(of(&drop_at(1)).to_string().starts_with("20261122t183000z-"));
    }

    #[test]
    fn a_source_reads_as_what_it_was_written_as() {
        let time = Timestamp::from_second(1_795_372_200).unwrap();
        let object = ObjectVersion {
            bucket: "b".to_owned(),
            key: "cars/training/incoming/a.csv".to_owned(),
            version_id: "v".to_owned(),
            bytes: 8,
            last_modified: time,
        };
        for source in [
            Source::Drop(object),
            Source::Drift {
                drifted_model: "m".to_owned(),
                found_by: drop_at(1),
                found_at: time,
                top_features: vec!["fuel".to_owned()],
                drifted_metrics: vec!["rmse".to_owned()],
            },
            Source::Tick {
                watched_model: "m".to_owned(),
                tick: time,
            },
            Source::Promotion {
                promoted_model: "m".to_owned(),
                from_run: drop_at(1),
                action: Action::Rollback,
                by: "kim".to_owned(),
                reason: "prices are off".to_owned(),
                asked_at: time,
                replaces: Some(drop_at(2)),
                anyway: false,
                rerun_by: Some("lee".to_owned()),
            },
        ] {
            let written = serde_json::to_string(&source).unwrap();
            assert_eq!(serde_json::from_str::<Source>(&written).unwrap(), source);
        }
    }

    #[test]
    fn a_manifest_older_than_scoring_is_of_a_training_run() {
        let manifest: Manifest = serde_json::from_value(serde_json::json!({
            "run_id": "20261122t183000z-ab12cd34", "use_case": "cars", "state": "started", "config_version": "v",
            "source": {
                "bucket": "b", "key": "k", "version_id": "v", "bytes": 8, "last_modified": "2026-11-22T18:30:00Z",
            },
            "claimed_at": "2026-11-22T18:30:02Z",
        }))
        .unwrap();
        assert_eq!(manifest.kind, RunKind::Training);
        assert_eq!(manifest.source.object().unwrap().key, "k");
        assert!(manifest.inputs.is_empty());
    }

    #[test]
    fn versions_of_one_second_have_an_order() {
        let at = |second: i64| Timestamp::from_second(1_795_372_200 + second).unwrap();
        assert_eq!(time_in_order(at(0), &[]), at(0));
        assert_eq!(time_in_order(at(5), &[at(3), at(0)]), at(5));
        assert_eq!(time_in_order(at(0), &[at(0)]), at(1));
        // The third of one second, and one of the next: each is later than the one before it.
        assert_eq!(time_in_order(at(0), &[at(0), at(0)]), at(2));
        assert_eq!(time_in_order(at(1), &[at(0), at(0), at(0)]), at(3));
        assert_eq!(time_in_order(at(4), &[at(0), at(0), at(0)]), at(4));
    }

    #[test]
    fn a_newer_drop_is_greater_and_a_rerun_is_greater_than_its_first() {
        let (older, newer) = (drop_at(1_000_000_000), drop_at(1_000_000_001));
        assert!(older < newer);
        assert!(older < older.rerun() && older.rerun() < newer);
        assert_eq!(older.rerun().rerun().first(), older);
        let tenth = (0..9).fold(older.clone(), |run, _| run.rerun());
        assert!(tenth > older.rerun(), "-r10 comes after -r2");
    }

    proptest! {
        #[test]
        fn reading_gives_back_what_was_written(second in 0_i64..4_000_000_000, attempts in 0..12) {
            let run = (0..attempts).fold(drop_at(second), |run, _| run.rerun());
            prop_assert_eq!(RunId::parse(&run.to_string()), Some(run));
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}") {
            if let Some(run) = RunId::parse(&text) {
                prop_assert_eq!(run.to_string(), text);
            }
        }
    }
}
