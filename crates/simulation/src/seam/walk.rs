//! Walks along all ways through a machine.

use super::aws::Tasks;
use super::live::Live;
use super::{Finding, choices};
use crate::asl::path;
use crate::asl::state::{Catcher, Choice, Fail, Machine, Map, Parallel, State, Task};
use crate::asl::template::Expression;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Everything that is wrong with a machine that is started with any of the plans.
pub fn findings(file: &str, machine: &Machine, plans: &[Value]) -> BTreeSet<Finding> {
    let mut walk = Walk {
        file,
        tasks: Tasks::new(),
        findings: BTreeSet::new(),
        reached: BTreeSet::new(),
        heard: BTreeMap::new(),
        live: HashMap::new(),
    };
    let context = json!({
        "Execution": {
            "Id": "arn:aws:states:us-east-1:123456789012:execution:machine:name", "Name": "name", "Input": {},
            "RoleArn": "arn:aws:iam::123456789012:role/machine", "StartTime": "2026-11-22T18:30:00Z",
        },
        "StateMachine": {"Id": "arn:aws:states:us-east-1:123456789012:stateMachine:machine", "Name": "machine"},
        "State": {"Name": "state", "EnteredTime": "2026-11-22T18:30:00Z", "RetryCount": 0},
    });
    for plan in plans {
        walk.level(machine, plan.clone(), &context);
    }
    walk.unheard(machine);
    // A fault cuts ways off, so the states after it are not reported as unreached.
    if walk.findings.is_empty() {
        walk.unreached(machine);
    }
    walk.findings
}

struct Walk<'a> {
    file: &'a str,
    tasks: Tasks,
    findings: BTreeSet<Finding>,
    reached: BTreeSet<String>,
    /// The values that choices have met, by state and variable.
    heard: BTreeMap<(String, String), BTreeSet<String>>,
    live: HashMap<*const Machine, Rc<Live>>,
}

/// The possible next states with their data; `None` at an end.
type Ways = Vec<(Option<String>, Value)>;

impl Walk<'_> {
    /// Walks all ways through a machine or a branch of one; returns the distinct outputs.
    fn level(&mut self, machine: &Machine, input: Value, context: &Value) -> Vec<Value> {
        let live = self.live.entry(std::ptr::from_ref(machine));
        let live = live.or_insert_with(|| Rc::new(Live::of(machine))).clone();
        let (mut outputs, mut seen) = (BTreeMap::new(), BTreeSet::new());
        if let State::Choice(choice) = &machine.states[&machine.start_at] {
            self.hear(&machine.start_at, choice, &input);
        }
        let mut open = vec![(machine.start_at.clone(), input)];
        while let Some((name, data)) = open.pop() {
            self.reached.insert(name.clone());
            for (next, data) in self.state(&name, &machine.states[&name], data, context) {
                let Some(next) = next else {
                    outputs.insert(data.to_string(), data);
                    continue;
                };
                if let State::Choice(choice) = &machine.states[&next] {
                    self.hear(&next, choice, &data);
                }
                if seen.insert((next.clone(), live.key(&next, &data))) {
                    open.push((next, data));
                }
            }
        }
        outputs.into_values().collect()
    }

    fn state(&mut self, name: &str, state: &State, data: Value, context: &Value) -> Ways {
        match state {
            State::Pass(it) => {
                let made = match (&it.result, &it.parameters) {
                    (Some(result), _) => Some(result.clone()),
                    (None, Some(parameters)) => self.fill(name, "Parameters", parameters, &data, context),
                    (None, None) => Some(data.clone()),
                };
                let out = made.and_then(|made| self.put(name, it.result_path.as_deref(), data, made));
                out.map(|out| (it.next.clone(), out)).into_iter().collect()
            }
            State::Choice(it) => self.choice(name, it, data, context),
            State::Wait(it) => {
                if let Some(path) = &it.seconds_path {
                    self.number(name, "SecondsPath", path, &data, context);
                }
                vec![(it.next.clone(), data)]
            }
            State::Succeed(it) => {
                let path = it.output_path.as_deref().unwrap_or("$");
                let output = self.evaluate(name, "OutputPath", path, &data, context);
                output.map(|output| (None, output)).into_iter().collect()
            }
            State::Fail(it) => {
                self.fail(name, it, &data, context);
                Vec::new()
            }
            State::Task(it) => {
                let results = self.task(name, it, &data, context);
                let mut ways = self.caught(name, &it.catch, &data);
                let (selector, at) = (it.result_selector.as_ref(), it.result_path.as_deref());
                ways.extend(self.ended(name, (selector, at, &it.next), &data, results, context));
                ways
            }
            State::Map(it) => {
                let results = self.map(name, it, &data, context);
                let mut ways = self.caught(name, &it.catch, &data);
                let (selector, at) = (it.result_selector.as_ref(), it.result_path.as_deref());
                ways.extend(self.ended(name, (selector, at, &it.next), &data, results, context));
                ways
            }
            State::Parallel(it) => {
                let results = self.parallel(it, &data, context);
                let mut ways = self.caught(name, &it.catch, &data);
                let (selector, at) = (it.result_selector.as_ref(), it.result_path.as_deref());
                ways.extend(self.ended(name, (selector, at, &it.next), &data, results, context));
                ways
            }
        }
    }

    fn choice(&mut self, name: &str, it: &Choice, data: Value, context: &Value) -> Ways {
        let mut ways = Vec::new();
        for rule in &it.choices {
            match choices::ways(&rule.test, &data, context) {
                Ok(can) => {
                    if can.holds {
                        ways.push((Some(rule.next.clone()), data.clone()));
                    }
                    if !can.fails {
                        return ways;
                    }
                }
                Err((variable, fault)) => {
                    self.found(name, &format!("Variable {variable}"), fault);
                    return ways;
                }
            }
        }
        match &it.default {
            Some(next) => ways.push((Some(next.clone()), data)),
            None => self.found(name, "Default", "no rule holds, and there is no Default".to_owned()),
        }
        ways
    }

    fn task(&mut self, name: &str, it: &Task, data: &Value, context: &Value) -> Vec<Value> {
        if let Some(path) = &it.timeout_seconds_path {
            self.number(name, "TimeoutSecondsPath", path, data, context);
        }
        let parameters = match &it.parameters {
            Some(parameters) => self.fill(name, "Parameters", parameters, data, context),
            None => Some(data.clone()),
        };
        let Some(parameters) = parameters else {
            return Vec::new();
        };
        let called = self.tasks.call(&it.resource, &parameters);
        for (field, fault) in &called.faults {
            self.found(name, &format!("Parameters{field}"), fault.clone());
        }
        called.results.clone()
    }

    fn map(&mut self, name: &str, it: &Map, data: &Value, context: &Value) -> Vec<Value> {
        let Some(items) = self.evaluate(name, "ItemsPath", &it.items_path, data, context) else {
            return Vec::new();
        };
        let Value::Array(items) = items else {
            self.found(name, "ItemsPath", format!("`{}` {}", it.items_path, described(&items)));
            return Vec::new();
        };
        if items.is_empty() {
            return vec![json!([])];
        }
        let mut outputs = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let mut context = context.clone();
            context["Map"] = json!({"Item": {"Index": index, "Value": item}});
            let input = match &it.item_selector {
                Some(selector) => self.fill(name, "ItemSelector", selector, data, &context),
                None => Some(item),
            };
            let ended = input.map(|input| self.level(&it.item_processor, input, &context));
            outputs.extend(ended.into_iter().flatten());
        }
        // Any item may end in any of the ways.
        let mut lists: Vec<Value> = outputs.iter().map(|output| json!([output])).collect();
        lists.push(outputs.into());
        lists
    }

    fn parallel(&mut self, it: &Parallel, data: &Value, context: &Value) -> Vec<Value> {
        let mut lists = vec![Vec::new()];
        for branch in &it.branches {
            let outputs = self.level(branch, data.clone(), context);
            let with = |list: &Vec<Value>, output: &Value| [list.as_slice(), std::slice::from_ref(output)].concat();
            let longer = lists
                .iter()
                .flat_map(|list| outputs.iter().map(|output| with(list, output)));
            lists = longer.collect();
        }
        lists.into_iter().map(Value::from).collect()
    }

    /// The ways on from a state's results, by its ResultSelector, ResultPath and Next.
    fn ended(
        &mut self,
        name: &str,
        (selector, at, next): (Option<&Value>, Option<&str>, &Option<String>),
        data: &Value,
        results: Vec<Value>,
        context: &Value,
    ) -> Ways {
        let mut ways = Vec::new();
        for result in results {
            let selected = match selector {
                Some(selector) => self.fill(name, "ResultSelector", selector, &result, context),
                None => Some(result),
            };
            let out = selected.and_then(|selected| self.put(name, at, data.clone(), selected));
            ways.extend(out.map(|out| (next.clone(), out)));
        }
        ways
    }

    /// The ways of each Catch. An error need not have a Cause: States.Timeout, for one, has none.
    fn caught(&mut self, name: &str, catchers: &[Catcher], data: &Value) -> Ways {
        let errors = [json!({"Error": "name", "Cause": "{}"}), json!({"Error": "name"})];
        let mut ways = Vec::new();
        for catcher in catchers {
            for error in &errors {
                let out = self.put(name, catcher.result_path.as_deref(), data.clone(), error.clone());
                ways.extend(out.map(|out| (Some(catcher.next.clone()), out)));
            }
        }
        ways
    }

    fn fail(&mut self, name: &str, it: &Fail, data: &Value, context: &Value) {
        for (field, expression) in [("ErrorPath", &it.error_path), ("CausePath", &it.cause_path)] {
            let Some(expression) = expression else { continue };
            if let Some(value) = self.evaluate(name, field, expression, data, context)
                && !value.is_string()
            {
                self.found(
                    name,
                    field,
                    format!("`{expression}` {}: it must be text", described(&value)),
                );
            }
        }
    }

    fn number(&mut self, name: &str, field: &str, path: &str, data: &Value, context: &Value) {
        if let Some(value) = self.evaluate(name, field, path, data, context)
            && !value.is_u64()
        {
            self.found(
                name,
                field,
                format!("`{path}` {}: it must be a number", described(&value)),
            );
        }
    }

    /// Fills a template as the interpreter does; every field that can't be filled is a finding.
    fn fill(&mut self, name: &str, field: &str, template: &Value, data: &Value, context: &Value) -> Option<Value> {
        match template {
            Value::Object(fields) => {
                let mut filled = Some(serde_json::Map::new());
                for (key, value) in fields {
                    let field = format!("{field}.{key}");
                    let value = match (key.strip_suffix(".$"), value) {
                        (Some(_), Value::String(expression)) => self.evaluate(name, &field, expression, data, context),
                        (_, value) => self.fill(name, &field, value, data, context),
                    };
                    let plain = key.strip_suffix(".$").unwrap_or(key);
                    filled = filled.zip(value).map(|(mut filled, value)| {
                        filled.insert(plain.to_owned(), value);
                        filled
                    });
                }
                filled.map(Value::Object)
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let filled: Vec<_> = items
                    .map(|(index, item)| self.fill(name, &format!("{field}[{index}]"), item, data, context))
                    .collect();
                filled.into_iter().collect()
            }
            plain => Some(plain.clone()),
        }
    }

    fn evaluate(&mut self, name: &str, field: &str, text: &str, data: &Value, context: &Value) -> Option<Value> {
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(failure) => {
                self.found(name, field, format!("`{text}` can't be read: {}", failure.cause));
                return None;
            }
        };
        let mut sound = true;
        for path in expression.paths() {
            let fault = match path::find(path, data, context) {
                Ok(Some(_)) => continue,
                Ok(None) if path.starts_with("$$") => missing(path, context),
                Ok(None) => missing(path, data),
                Err(failure) => failure.cause,
            };
            self.found(name, field, fault);
            sound = false;
        }
        if !sound {
            return None;
        }
        let value = expression.value(data, context);
        if let Err(failure) = &value {
            self.found(name, field, format!("`{text}`: {}", failure.cause));
        }
        value.ok()
    }

    fn put(&mut self, name: &str, at: Option<&str>, data: Value, result: Value) -> Option<Value> {
        let Some(at) = at else { return Some(data) };
        match path::put(at, data, result) {
            Ok(data) => Some(data),
            Err(failure) => {
                self.found(name, "ResultPath", failure.cause);
                None
            }
        }
    }

    fn hear(&mut self, state: &str, choice: &Choice, data: &Value) {
        for (variable, words) in compared(choice) {
            if words.is_empty() {
                continue;
            }
            if let Ok(Some(Value::String(word))) = path::find(&variable, data, &Value::Null) {
                self.heard.entry((state.to_owned(), variable)).or_default().insert(word);
            }
        }
    }

    /// Reports words that choices compare with but that no function or plan ever produces.
    fn unheard(&mut self, machine: &Machine) {
        for (name, state) in all(machine) {
            let State::Choice(choice) = state else { continue };
            for (variable, words) in compared(choice) {
                // A choice that is never reached is another finding.
                let Some(heard) = self.heard.get(&(name.clone(), variable.clone())).cloned() else {
                    continue;
                };
                for word in words.difference(&heard) {
                    let heard: Vec<_> = heard.iter().map(String::as_str).collect();
                    let fault = format!("`{variable}` is never `{word}`: it is {}", heard.join(", "));
                    self.found(name, "StringEquals", fault);
                }
            }
        }
    }

    fn unreached(&mut self, machine: &Machine) {
        for (name, _) in all(machine) {
            if !self.reached.contains(name) {
                let fault =
                    "nothing that plans, functions and AWS say leads here: the state is dead, or a sample is missing";
                self.found(name, "Next", fault.to_owned());
            }
        }
    }

    fn found(&mut self, state: &str, field: &str, fault: String) {
        self.findings.insert(Finding {
            file: self.file.to_owned(),
            state: state.to_owned(),
            field: field.to_owned(),
            fault,
        });
    }
}

fn compared(choice: &Choice) -> BTreeMap<String, BTreeSet<String>> {
    let mut compared = BTreeMap::new();
    let rules = choice.choices.iter();
    rules.for_each(|rule| choices::words(&rule.test, &mut compared));
    compared
}

/// The states of a machine, including nested ones.
pub fn all(machine: &Machine) -> Vec<(&String, &State)> {
    let mut states = Vec::new();
    for (name, state) in &machine.states {
        states.push((name, state));
        match state {
            State::Map(it) => states.extend(all(&it.item_processor)),
            State::Parallel(it) => states.extend(it.branches.iter().flat_map(all)),
            _ => {}
        }
    }
    states
}

/// Says that a path leads nowhere, and what is there instead.
pub fn missing(path: &str, root: &Value) -> String {
    let mut there = path;
    while let Some(at) = there.rfind(['.', '[']) {
        there = &there[..at];
        if let Ok(Some(value)) = path::find(there, root, root) {
            return format!("`{path}` is not there: `{there}` {}", described(&value));
        }
    }
    format!("`{path}` is not there")
}

fn described(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            format!(
                "has {}",
                if names.is_empty() {
                    "no fields".to_owned()
                } else {
                    names.join(", ")
                }
            )
        }
        Value::Array(items) => format!("is a list of {}", items.len()),
        plain => format!("is {plain}"),
    }
}
