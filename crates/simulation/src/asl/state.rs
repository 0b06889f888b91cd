//! Machines and states, as they are written. Unknown fields are refused.

use super::choice::Rule;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// A state machine, or a branch of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Machine {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub start_at: String,
    #[serde(default)]
    pub timeout_seconds: Option<u64>,
    #[serde(default)]
    #[allow(dead_code, reason = "INLINE is the only mode that reads")]
    processor_config: Option<ProcessorConfig>,
    pub states: BTreeMap<String, State>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ProcessorConfig {
    #[allow(dead_code, reason = "INLINE is the only mode that reads")]
    mode: Mode,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    Inline,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "Type")]
pub enum State {
    Task(Task),
    Pass(Pass),
    Choice(Choice),
    Wait(Wait),
    Map(Map),
    Parallel(Parallel),
    Succeed(Succeed),
    Fail(Fail),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Task {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub resource: String,
    pub parameters: Option<Value>,
    pub timeout_seconds: Option<u64>,
    pub timeout_seconds_path: Option<String>,
    pub result_selector: Option<Value>,
    #[serde(default = "whole", deserialize_with = "path_or_null")]
    pub result_path: Option<String>,
    #[serde(default)]
    pub retry: Vec<Retrier>,
    #[serde(default)]
    pub catch: Vec<Catcher>,
    pub next: Option<String>,
    #[serde(default)]
    pub end: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Pass {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub result: Option<Value>,
    pub parameters: Option<Value>,
    #[serde(default = "whole", deserialize_with = "path_or_null")]
    pub result_path: Option<String>,
    pub next: Option<String>,
    #[serde(default)]
    pub end: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Choice {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub choices: Vec<Rule>,
    pub default: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Wait {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub seconds: Option<u64>,
    pub seconds_path: Option<String>,
    pub next: Option<String>,
    #[serde(default)]
    pub end: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Map {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub items_path: String,
    pub item_selector: Option<Value>,
    #[serde(default)]
    pub max_concurrency: usize,
    pub item_processor: Box<Machine>,
    pub result_selector: Option<Value>,
    #[serde(default = "whole", deserialize_with = "path_or_null")]
    pub result_path: Option<String>,
    #[serde(default)]
    pub retry: Vec<Retrier>,
    #[serde(default)]
    pub catch: Vec<Catcher>,
    pub next: Option<String>,
    #[serde(default)]
    pub end: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parallel {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub branches: Vec<Machine>,
    pub result_selector: Option<Value>,
    #[serde(default = "whole", deserialize_with = "path_or_null")]
    pub result_path: Option<String>,
    #[serde(default)]
    pub retry: Vec<Retrier>,
    #[serde(default)]
    pub catch: Vec<Catcher>,
    pub next: Option<String>,
    #[serde(default)]
    pub end: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Succeed {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub output_path: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Fail {
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    comment: String,
    pub error: Option<String>,
    pub error_path: Option<String>,
    pub cause: Option<String>,
    pub cause_path: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Retrier {
    pub error_equals: Vec<String>,
    #[serde(default = "one")]
    pub interval_seconds: u32,
    #[serde(default = "two")]
    pub backoff_rate: f64,
    #[serde(default = "three")]
    pub max_attempts: u32,
    pub max_delay_seconds: Option<u32>,
    #[serde(default)]
    #[allow(dead_code, reason = "the interpreter waits for the whole delay")]
    jitter_strategy: Jitter,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Jitter {
    #[default]
    None,
    Full,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Catcher {
    pub error_equals: Vec<String>,
    #[serde(default = "whole", deserialize_with = "path_or_null")]
    pub result_path: Option<String>,
    pub next: String,
}

impl Machine {
    /// Parses a machine and checks that every state it refers to exists.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(!text.contains("${"), "a substitution is left over");
        let machine: Self = serde_json::from_str(text)?;
        machine.check()?;
        Ok(machine)
    }

    fn check(&self) -> anyhow::Result<()> {
        let known = |name: &String| {
            let there = self.states.contains_key(name);
            anyhow::ensure!(there, "there is no state {name}");
            Ok(())
        };
        known(&self.start_at)?;
        for (name, state) in &self.states {
            let mut nexts = Vec::new();
            let (next, end, catchers, inner) = match state {
                State::Task(it) => (&it.next, it.end, &it.catch[..], Vec::new()),
                State::Pass(it) => (&it.next, it.end, &[][..], Vec::new()),
                State::Wait(it) => (&it.next, it.end, &[][..], Vec::new()),
                State::Map(it) => (&it.next, it.end, &it.catch[..], vec![&*it.item_processor]),
                State::Parallel(it) => (&it.next, it.end, &it.catch[..], it.branches.iter().collect()),
                State::Choice(it) => {
                    nexts.extend(it.choices.iter().map(|rule| &rule.next));
                    nexts.extend(&it.default);
                    (&None, true, &[][..], Vec::new())
                }
                State::Succeed(_) | State::Fail(_) => (&None, true, &[][..], Vec::new()),
            };
            anyhow::ensure!(next.is_some() != end, "{name} neither ends nor goes on, or both");
            nexts.extend(next);
            nexts.extend(catchers.iter().map(|it| &it.next));
            nexts.into_iter().try_for_each(known)?;
            inner.into_iter().try_for_each(Self::check)?;
        }
        Ok(())
    }
}

/// A ResultPath. If it is absent, the result replaces the whole input; if it is null, the result is dropped.
fn path_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)
}

#[allow(clippy::unnecessary_wraps, reason = "the default of an optional field")]
fn whole() -> Option<String> {
    Some("$".to_owned())
}

fn one() -> u32 {
    1
}

fn two() -> f64 {
    2.0
}

fn three() -> u32 {
    3
}
