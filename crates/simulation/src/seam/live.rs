//! Finds out which parts of a state's data are still read later. Documents that differ in nothing else take the same
//! ways, so one of them stands for all: without this, a walk would not end.

use super::choices;
use crate::asl::path;
use crate::asl::state::{Machine, State};
use crate::asl::template::Expression;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What is read from each state of a machine on.
pub struct Live {
    states: BTreeMap<String, Read>,
}

/// What is read from a state on.
struct Read {
    /// Nested fields; `true` where everything below is read.
    fields: Value,
    /// Those paths on whose values the machine's choices depend, with the words that they are compared with.
    compared: BTreeMap<String, BTreeSet<String>>,
}

impl Live {
    pub fn of(machine: &Machine) -> Self {
        let mut compared = BTreeMap::new();
        choices::compared(machine, &mut compared);
        for state in machine.states.values() {
            let templates = match state {
                State::Task(it) => [&it.parameters, &it.result_selector],
                State::Pass(it) => [&it.parameters, &None],
                _ => continue,
            };
            for template in templates.into_iter().flatten() {
                expressions(template, &mut |expression| searched(&expression, &mut compared));
            }
        }
        let read = |paths: BTreeSet<String>| Read {
            fields: tree(&paths),
            compared: compared
                .iter()
                .filter(|(variable, _)| paths.iter().any(|path| written(Some(path), variable)))
                .map(|(variable, words)| (variable.clone(), words.clone()))
                .collect(),
        };
        Self {
            states: live(machine)
                .into_iter()
                .map(|(state, paths)| (state, read(paths)))
                .collect(),
        }
    }

    /// What matters of the data from this state on: its form, and the values that choices tell apart. Numbers don't
    /// matter: they are counters, or only passed on.
    pub fn key(&self, state: &str, data: &Value) -> String {
        let read = &self.states[state];
        let mut key = String::new();
        write(data, Some(&read.fields), &mut key);
        for (variable, words) in &read.compared {
            let class = match path::find(variable, data, &Value::Null) {
                Ok(Some(Value::Bool(truth))) => truth.to_string(),
                Ok(Some(Value::String(word))) if words.contains(&word) => word,
                Ok(Some(list @ Value::Array(_))) => list.to_string(),
                _ => continue,
            };
            key.extend([" ", variable, "=", &class]);
        }
        key
    }
}

/// The form of a value, without its contents: list items of the same form count once.
pub fn form(value: &Value) -> String {
    let mut form = String::new();
    write(value, None, &mut form);
    form
}

fn write(value: &Value, read: Option<&Value>, form: &mut String) {
    match value {
        Value::Null => form.push('0'),
        Value::Bool(_) => form.push('?'),
        Value::Number(_) => form.push('#'),
        Value::String(_) => form.push('"'),
        Value::Array(items) => {
            let forms: BTreeSet<String> = items.iter().map(self::form).collect();
            form.push('[');
            forms.iter().for_each(|item| form.push_str(item));
            form.push(']');
        }
        Value::Object(fields) => {
            form.push('{');
            for (name, value) in fields {
                let below = match read {
                    Some(Value::Object(read)) => match read.get(name) {
                        None => continue,
                        below => below,
                    },
                    _ => None,
                };
                form.extend([name, ":"]);
                write(value, below, form);
            }
            form.push('}');
        }
    }
}

fn tree(paths: &BTreeSet<String>) -> Value {
    // Longer paths come first, so that a path that includes others replaces them.
    let mut paths: Vec<&String> = paths.iter().collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    paths.into_iter().fold(Value::Object(Map::new()), |tree, path| {
        path::put(path, tree, Value::Bool(true)).unwrap()
    })
}

/// The paths that each state, or one after it, reads before they are written again.
fn live(machine: &Machine) -> BTreeMap<String, BTreeSet<String>> {
    let mut live: BTreeMap<String, BTreeSet<String>> = machine
        .states
        .keys()
        .map(|name| (name.clone(), BTreeSet::new()))
        .collect();
    loop {
        let mut changed = false;
        for (name, state) in &machine.states {
            let mut paths = reads(state);
            for (next, result) in ways(state) {
                let later = next.map_or_else(|| BTreeSet::from(["$".to_owned()]), |next| live[&next].clone());
                paths.extend(later.into_iter().filter(|path| !written(result.as_deref(), path)));
            }
            changed |= live[name] != paths;
            live.insert(name.clone(), paths);
        }
        if !changed {
            return live;
        }
    }
}

/// The ways out of a state: the next state (`None` at an end), and the path of the data that is written on the way.
fn ways(state: &State) -> Vec<(Option<String>, Option<String>)> {
    let (next, result, catchers) = match state {
        State::Task(it) => (&it.next, it.result_path.clone(), &it.catch[..]),
        State::Map(it) => (&it.next, it.result_path.clone(), &it.catch[..]),
        State::Parallel(it) => (&it.next, it.result_path.clone(), &it.catch[..]),
        State::Pass(it) => {
            let makes = it.result.is_some() || it.parameters.is_some();
            (&it.next, it.result_path.clone().filter(|_| makes), &[][..])
        }
        State::Wait(it) => (&it.next, None, &[][..]),
        State::Choice(it) => {
            let nexts = it.choices.iter().map(|rule| &rule.next).chain(&it.default);
            return nexts.map(|next| (Some(next.clone()), None)).collect();
        }
        State::Succeed(_) | State::Fail(_) => return Vec::new(),
    };
    let caught = catchers
        .iter()
        .map(|catcher| (Some(catcher.next.clone()), catcher.result_path.clone()));
    caught.chain([(next.clone(), result)]).collect()
}

fn written(result: Option<&str>, path: &str) -> bool {
    result.is_some_and(|result| {
        result == "$"
            || path
                .strip_prefix(result)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// The paths of its data that a state reads, each up to its first index.
fn reads(state: &State) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    match state {
        State::Task(it) => {
            match &it.parameters {
                Some(parameters) => of_template(parameters, &mut paths),
                None => add("$", &mut paths),
            }
            it.timeout_seconds_path.iter().for_each(|path| add(path, &mut paths));
        }
        State::Pass(it) => {
            if let (None, Some(parameters)) = (&it.result, &it.parameters) {
                of_template(parameters, &mut paths);
            }
        }
        State::Choice(it) => {
            let mut compared = BTreeMap::new();
            it.choices
                .iter()
                .for_each(|rule| choices::words(&rule.test, &mut compared));
            compared.keys().for_each(|variable| add(variable, &mut paths));
        }
        State::Wait(it) => it.seconds_path.iter().for_each(|path| add(path, &mut paths)),
        State::Map(it) => {
            add(&it.items_path, &mut paths);
            it.item_selector
                .iter()
                .for_each(|selector| of_template(selector, &mut paths));
        }
        State::Parallel(it) => {
            for branch in &it.branches {
                paths.extend(live(branch)[&branch.start_at].clone());
            }
        }
        State::Succeed(it) => add(it.output_path.as_deref().unwrap_or("$"), &mut paths),
        State::Fail(it) => {
            let expressions = it.error_path.iter().chain(&it.cause_path);
            expressions.for_each(|expression| of_expression(expression, &mut paths));
        }
    }
    paths
}

fn of_template(template: &Value, paths: &mut BTreeSet<String>) {
    expressions(template, &mut |expression| {
        expression.paths().into_iter().for_each(|path| add(path, paths));
    });
}

fn of_expression(expression: &str, paths: &mut BTreeSet<String>) {
    // An expression that can't be parsed is a finding of the walk.
    if let Ok(expression) = Expression::parse(expression) {
        expression.paths().into_iter().for_each(|path| add(path, paths));
    }
}

/// Visits every expression of a template that can be parsed.
fn expressions(template: &Value, see: &mut impl FnMut(Expression)) {
    match template {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name.ends_with(".$") => {
                        Expression::parse(text).into_iter().for_each(&mut *see);
                    }
                    value => expressions(value, see),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, see)),
        _ => {}
    }
}

/// The lists in which an expression searches for a word: there, too, the outcome depends on a value.
fn searched(expression: &Expression, lists: &mut BTreeMap<String, BTreeSet<String>>) {
    if let Expression::Call(name, arguments) = expression {
        match arguments.first() {
            Some(Expression::Path(list)) if name == "States.ArrayContains" => {
                lists.entry(list.clone()).or_default();
            }
            _ => arguments.iter().for_each(|argument| searched(argument, lists)),
        }
    }
}

fn add(path: &str, paths: &mut BTreeSet<String>) {
    if !path.starts_with("$$") {
        let fields = path.split('[').next().unwrap_or(path);
        paths.insert(fields.to_owned());
    }
}
