//! Reads an execution's history: which state each model is in, how long states took, and how much of that time jobs
//! ran.
//!
//! Pure: events in, progress out.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An event of a history, reduced to what is needed here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// The number of the event that it follows from.
    pub previous: i64,
    /// Seconds since 1970.
    pub at_s: f64,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A state began.
    Entered {
        /// Its name.
        state: String,
        /// Its type, such as `Task`.
        of_type: String,
        /// Its input, as JSON.
        input: String,
    },
    /// A state ended.
    Exited {
        /// Its name.
        state: String,
    },
    /// A service's task ended, well or badly; its description has the job's times.
    TaskEnded {
        /// The description, as JSON.
        description: String,
    },
    /// The branches of the Map have joined.
    Joined,
    /// Everything else.
    Other,
}

/// A state that was entered, and perhaps exited.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// The model whose branch it is in; `None` for the states of the run itself.
    pub model: Option<String>,
    /// The state.
    pub state: String,
    /// Its type.
    pub of_type: String,
    /// When it began, in seconds since 1970.
    pub entered_s: f64,
    /// When it ended, in seconds since 1970; `None` while it goes on.
    pub left_s: Option<f64>,
}

impl Visit {
    /// Its duration in seconds; `None` while it goes on.
    pub fn seconds(&self) -> Option<f64> {
        self.left_s.map(|left| left - self.entered_s)
    }

    /// Whether it is worth a line: choices and passes take no time and decide nothing by themselves.
    pub fn is_work(&self) -> bool {
        matches!(self.of_type.as_str(), "Task" | "Parallel" | "Wait")
    }
}

/// Every state of a history, in the order in which they were entered.
pub fn visits(events: &[Event]) -> Vec<Visit> {
    let mut branches: BTreeMap<i64, Option<String>> = BTreeMap::new();
    let mut visits: Vec<Visit> = Vec::new();
    for event in events {
        let inherited = branches.get(&event.previous).cloned().flatten();
        let branch = match &event.kind {
            Kind::Entered { input, .. } => model_of(input).or(inherited),
            Kind::Joined => None,
            _ => inherited,
        };
        match &event.kind {
            Kind::Entered { state, of_type, .. } => visits.push(Visit {
                model: branch.clone(),
                state: state.clone(),
                of_type: of_type.clone(),
                entered_s: event.at_s,
                left_s: None,
            }),
            Kind::Exited { state } => {
                let open = |visit: &&mut Visit| visit.left_s.is_none() && visit.state == *state;
                let mut candidates: Vec<&mut Visit> = visits.iter_mut().filter(open).collect();
                let own = candidates.iter().position(|visit| visit.model == branch).unwrap_or(0);
                if let Some(visit) = candidates.get_mut(own) {
                    visit.left_s = Some(event.at_s);
                }
            }
            _ => {}
        }
        branches.insert(event.id, branch);
    }
    visits
}

/// The seconds of the execution during which no job existed. A job exists from its creation to its end.
pub fn seconds_outside_jobs(events: &[Event], began_s: f64, ended_s: f64) -> f64 {
    let mut jobs: Vec<(f64, f64)> = events.iter().filter_map(|event| job_times(&event.kind)).collect();
    jobs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut outside, mut reached) = (0.0, began_s);
    for (began, ended) in jobs {
        outside += (began.min(ended_s) - reached).max(0.0);
        reached = reached.max(ended);
    }
    outside + (ended_s - reached).max(0.0)
}

fn model_of(input: &str) -> Option<String> {
    let input: Value = serde_json::from_str(input).ok()?;
    input["run"]["model"].as_str().map(str::to_owned)
}

fn job_times(kind: &Kind) -> Option<(f64, f64)> {
    let Kind::TaskEnded { description } = kind else {
        return None;
    };
    let description: Value = serde_json::from_str(description).ok()?;
    let ended = ["TrainingEndTime", "ProcessingEndTime", "TransformEndTime"]
        .iter()
        .find_map(|name| seconds(&description[name]))?;
    Some((seconds(&description["CreationTime"])?, ended))
}

/// A time as Step Functions writes it: milliseconds since 1970, or text. Returns seconds since 1970.
fn seconds(time: &Value) -> Option<f64> {
    /// Greater than any present time in seconds, less than any in milliseconds.
    const MILLISECONDS_FROM: f64 = 1e11;
    match time {
        Value::Number(number) => {
            let number = number.as_f64()?;
            Some(if number > MILLISECONDS_FROM {
                number / 1e3
            } else {
                number
            })
        }
        Value::String(text) => {
            let time: jiff::Timestamp = text.parse().ok()?;
            #[allow(clippy::cast_precision_loss, reason = "a time in milliseconds fits")]
            Some(time.as_millisecond() as f64 / 1e3)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: i64, previous: i64, at_s: f64, kind: Kind) -> Event {
        Event {
            id,
            previous,
            at_s,
            kind,
        }
    }

    fn entered(state: &str, of_type: &str, input: &str) -> Kind {
        Kind::Entered {
            state: state.to_owned(),
            of_type: of_type.to_owned(),
            input: input.to_owned(),
        }
    }

    fn exited(state: &str) -> Kind {
        Kind::Exited {
            state: state.to_owned(),
        }
    }

    fn ended(description: &str) -> Kind {
        Kind::TaskEnded {
            description: description.to_owned(),
        }
    }

    const A: &str = r#"{"run": {"model": "a"}}"#;
    const B: &str = r#"{"run": {"model": "b"}}"#;

    #[test]
    fn each_model_has_its_own_states() {
        let events = [
            event(1, 0, 0.0, entered("Preprocess", "Task", "{}")),
            event(2, 1, 5.0, exited("Preprocess")),
            event(3, 2, 5.0, entered("Models", "Map", "{}")),
            event(4, 3, 5.0, entered("TrainModel", "Task", A)),
            event(5, 3, 5.0, entered("TrainModel", "Task", B)),
            // Both are open: the chain of events tells which one ends.
            event(6, 5, 7.0, exited("TrainModel")),
            event(7, 6, 7.0, entered("Note", "Pass", "{}")),
            event(8, 4, 9.0, exited("TrainModel")),
            event(9, 8, 9.0, Kind::Joined),
            event(10, 9, 9.0, exited("Models")),
            event(11, 10, 9.0, entered("CountFailures", "Pass", "[]")),
        ];
        let told: Vec<String> = visits(&events)
            .iter()
            .map(|it| format!("{:?} {} {:?}", it.model.as_deref(), it.state, it.seconds()))
            .collect();
        assert_eq!(
            told,
            [
                r#"None Preprocess Some(5.0)"#,
                r#"None Models Some(4.0)"#,
                r#"Some("a") TrainModel Some(4.0)"#,
                r#"Some("b") TrainModel Some(2.0)"#,
                r#"Some("b") Note None"#,
                r#"None CountFailures None"#,
            ]
        );
    }

    #[test]
    fn jobs_that_overlap_count_once() {
        let events = [
            event(
                1,
                0,
                0.0,
                ended(r#"{"CreationTime": 101000, "ProcessingEndTime": 105000}"#),
            ),
            event(2, 0, 0.0, ended(r#"{"CreationTime": 106, "TrainingEndTime": 110}"#)),
            event(
                3,
                0,
                0.0,
                ended(r#"{"CreationTime": "1970-01-01T00:01:47Z", "TrainingEndTime": "1970-01-01T00:01:52Z"}"#),
            ),
            event(4, 0, 0.0, ended(r#"{"StatusCode": 200}"#)),
        ];
        // Milliseconds as small as the first event's are taken for seconds, far past the end: it is left out.
        assert!((seconds_outside_jobs(&events[1..], 100.0, 115.0) - 9.0).abs() < 1e-9);
        assert!((seconds_outside_jobs(&[], 100.0, 115.0) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn times_are_read_in_every_form() {
        for time in [
            serde_json::json!(1_795_372_200_500_i64),
            serde_json::json!(1_795_372_200.5),
            serde_json::json!("2026-11-22T18:30:00.5Z"),
        ] {
            assert_eq!(seconds(&time), Some(1_795_372_200.5), "{time}");
        }
        assert_eq!(seconds(&Value::Null), None);
    }
}
