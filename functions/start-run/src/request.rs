//! What the function is called with.

use crate::Error;
use contracts::monitoring::DriftDetected;
use contracts::promotion::{Action, Word};
use contracts::{Failure, RunId};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// What becomes of a dropped object version.
    Drop(Object),
    /// Another run of the version that a run was made of.
    /// `by` is who wants it, where that is said.
    Rerun {
        use_case: String,
        run_id: String,
        by: Option<String>,
    },
    /// A tick of the clock: what is due is started.
    Tick(Timestamp),
    /// A look at live data, due or not; at every model when none is named.
    Monitor { use_case: String, model: Option<String> },
    /// A held candidate, or a former champion, becomes the champion because somebody says so.
    Promote(Promote),
    /// A held candidate does not.
    Reject(Word),
    /// A champion was exported: files that waited for one are taken up.
    ChampionExported { use_case: String },
    /// Drift was found: a training run may be due.
    /// The event could not be sent, where it says why: the monitoring machine has called the function itself.
    DriftDetected {
        found: DriftDetected,
        unannounced: Option<String>,
    },
    /// A training run has ended: a queued one may be started.
    TrainingEnded(Ended),
}

/// An object version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub bucket: String,
    pub key: String,
    pub version_id: String,
}

/// An execution that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub execution_arn: String,
    /// Its name: none when it is not named after a run.
    pub run_id: Option<RunId>,
    /// Its input; none when the event leaves it out.
    pub input: Option<String>,
}

impl Request {
    pub fn parse(request: Value) -> Result<Self, Error> {
        if request.get("rerun").is_some() {
            let Rerun { rerun, use_case, by } = read(request)?;
            if let Some(by) = &by {
                checked("by", by, MOST_NAME)?;
            }
            return Ok(Self::Rerun {
                use_case,
                run_id: rerun,
                by,
            });
        }
        if request.get("monitor").is_some() {
            let Direct {
                monitor: Monitor { use_case, model },
            } = read(request)?;
            return Ok(Self::Monitor { use_case, model });
        }
        if request.get("promote").is_some() {
            let PromoteCall { promote } = read(request)?;
            said(&promote.word)?;
            return Ok(Self::Promote(promote));
        }
        if request.get("reject").is_some() {
            let RejectCall { reject } = read(request)?;
            said(&reject)?;
            return Ok(Self::Reject(reject));
        }
        let event: Event = read(request)?;
        match event.detail_type.as_str() {
            "Object Created" => drop(read(event.detail)?),
            "Scheduled Event" => Ok(Self::Tick(event.time)),
            "Champion Exported" => {
                let Exported { use_case } = read(event.detail)?;
                Ok(Self::ChampionExported { use_case })
            }
            "Drift Detected" => Ok(Self::DriftDetected {
                found: read(event.detail)?,
                unannounced: event
                    .unannounced
                    .map(|it| Failure::readable(&it.error, &it.cause).cause),
            }),
            "Step Functions Execution Status Change" => {
                let Execution {
                    execution_arn,
                    name,
                    input,
                } = read(event.detail)?;
                Ok(Self::TrainingEnded(Ended {
                    execution_arn,
                    run_id: RunId::parse(&name),
                    input,
                }))
            }
            other => Err(Error::EventInvalid(format!(
                "`{other}` is none of `Object Created`, `Scheduled Event`, `Champion Exported`, `Drift Detected` and `Step \
                 Functions Execution Status Change`: mend the rule's pattern"
            ))),
        }
    }
}

fn drop(Detail { bucket, object }: Detail) -> Result<Request, Error> {
    let version_id = object.version_id.filter(|version| version != "null").ok_or_else(|| {
        Error::EventInvalid(format!(
            "it names no version of s3://{}/{}: turn the bucket's versioning on",
            bucket.name, object.key
        ))
    })?;
    Ok(Request::Drop(Object {
        bucket: bucket.name,
        key: object.key,
        version_id,
    }))
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::EventInvalid(error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rerun {
    rerun: String,
    use_case: String,
    #[serde(default)]
    by: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Direct {
    monitor: Monitor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Monitor {
    use_case: String,
    #[serde(default)]
    model: Option<String>,
}

/// What somebody wants to be the champion, and why.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promote {
    #[serde(flatten)]
    pub word: Word,
    pub action: Action,
    /// Even if the champion is no longer the one that the candidate was compared with.
    #[serde(default)]
    pub anyway: bool,
    /// Who asks for it again after it has failed; none when the person of the word asks.
    #[serde(skip)]
    pub rerun_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromoteCall {
    promote: Promote,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectCall {
    reject: Word,
}

/// The longest names and reasons that decisions hold.
const MOST_NAME: usize = 100;
const MOST_REASON: usize = 1000;

/// Who and why are what a decision is worth: neither may be empty, or look like another line of a mail.
fn said(word: &Word) -> Result<(), Error> {
    checked("by", &word.by, MOST_NAME)?;
    checked("reason", &word.reason, MOST_REASON)
}

fn checked(field: &str, text: &str, most: usize) -> Result<(), Error> {
    let fault = if text.trim().is_empty() {
        "is empty: say who decides, and why".to_owned()
    } else if text.chars().count() > most {
        format!("is longer than {most} characters")
    } else if text.chars().any(char::is_control) {
        "holds a line break or another control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::EventInvalid(format!("`{field}` {fault}")))
}

/// An EventBridge event.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: Timestamp,
    detail: Value,
    /// Not EventBridge's: what a Catch of the monitoring machine has caught.
    unannounced: Option<Caught>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Caught {
    error: String,
    #[serde(default)]
    cause: String,
}

/// Detail of S3's event. Its keys are plain, unlike those of S3's own notifications.
#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: EventObject,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct EventObject {
    key: String,
    #[serde(rename = "version-id")]
    version_id: Option<String>,
}

/// Detail of Step Functions' event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    execution_arn: String,
    name: String,
    input: Option<String>,
}

#[derive(Deserialize)]
struct Exported {
    use_case: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(request: Value) -> String {
        match Request::parse(request) {
            Err(Error::EventInvalid(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    fn event(detail_type: &str, detail: &Value) -> Value {
        json!({"detail-type": detail_type, "time": "2026-11-22T18:30:00Z", "detail": detail})
    }

    #[test]
    fn what_is_neither_event_nor_direct_call_is_refused_with_the_reason() {
        assert!(refusal(json!({})).contains("detail-type"));
        assert!(refusal(json!({"rerun": "20261122t183000z-ab12cd34"})).contains("use_case"));
        assert!(refusal(json!({"monitor": {"model": "m"}})).contains("use_case"));
        let object = json!({"bucket": {"name": "b"}, "object": {"key": "k"}});
        assert!(refusal(event("Object Deleted", &object)).contains("`Object Deleted` is none"));
        assert!(refusal(event("Object Created", &object)).contains("no version of s3://b/k"));
        assert!(refusal(event("Champion Exported", &json!({}))).contains("use_case"));
    }

    #[test]
    fn a_word_of_people_is_read_whole_or_not_at_all() {
        let word = json!({"use_case": "cars", "model": "m", "run_id": "20261122t183000z-ab12cd34", "by": "kim",
                          "reason": "it is good"});
        let with = |name: &str, value: Value| {
            let mut word = word.clone();
            word[name] = value;
            word
        };
        let promote = Request::parse(json!({"promote": with("action", json!("approve"))})).unwrap();
        let Request::Promote(asked) = promote else {
            panic!("{promote:?}")
        };
        assert_eq!(
            (asked.word.by.as_str(), asked.action, asked.anyway),
            ("kim", Action::Approve, false)
        );
        let reject = Request::parse(json!({"reject": word})).unwrap();
        assert_eq!(reject, Request::Reject(asked.word));
        for (call, one) in [("reject", with("anyway", json!(true))), ("promote", word.clone())] {
            assert!(!refusal(json!({call: one})).is_empty());
        }
        let mut typo = with("action", json!("approve"));
        typo["anyways"] = json!(true);
        assert!(refusal(json!({"promote": typo})).contains("anyways"));
    }

    #[test]
    fn a_tick_has_its_time_and_a_direct_call_its_model() {
        let tick = Request::parse(event("Scheduled Event", &json!({}))).unwrap();
        assert_eq!(tick, Request::Tick("2026-11-22T18:30:00Z".parse().unwrap()));
        let all = Request::parse(json!({"monitor": {"use_case": "cars"}})).unwrap();
        let use_case = "cars".to_owned();
        assert_eq!(all, Request::Monitor { use_case, model: None });
    }
}
