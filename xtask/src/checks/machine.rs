//! Checks a state machine's transitions: every `Next`, `Default` and `StartAt` names a state of its own level, every
//! state can be reached, and every end is an end. Also checks that the template provides all substitutions that a
//! machine needs.
//!
//! Step Functions' own validation accepts a dangling `Next`. The form of states (their fields and types) is checked by
//! asl-validator.

use drivetrain::document::yaml::Marked;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Everything wrong with a machine, each with its place.
pub fn check(machine: &Value) -> Vec<String> {
    let mut mistakes = Vec::new();
    level("machine", machine, &mut mistakes);
    mistakes
}

/// Differences between the `${Words}` of a definition and the substitutions that the template provides. CloudFormation
/// deploys a word without a substitution unchanged.
pub fn check_substitutions(definition: &str, uri: &str, template: &Marked) -> Vec<String> {
    let text = |path: &str| template.get(path).and_then(|node| node.text.clone());
    let mut resources = template.children("Resources");
    let Some(machine) = resources.find(|it| text(&format!("{it}.Properties.DefinitionUri")).as_deref() == Some(uri))
    else {
        return vec![format!("no machine of the template has the definition {uri}")];
    };
    let folder = format!("{machine}.Properties.DefinitionSubstitutions");
    let given: BTreeSet<&str> = template
        .children(&folder)
        .filter_map(|path| path.rsplit('.').next())
        .collect();
    let asked: BTreeSet<&str> = definition
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    let lacking = asked
        .difference(&given)
        .map(|word| format!("${{{word}}} has no substitution in the template"));
    let idle = given
        .difference(&asked)
        .map(|word| format!("the template substitutes {word}, which the machine does not name"));
    lacking.chain(idle).collect()
}

/// Checks one level: the machine itself, a branch of a Parallel, or the processor of a Map.
fn level(place: &str, level: &Value, mistakes: &mut Vec<String>) {
    let Some(states) = level["States"].as_object() else {
        mistakes.push(format!("{place} has no States"));
        return;
    };
    let Some(start) = level["StartAt"].as_str() else {
        mistakes.push(format!("{place} has no StartAt"));
        return;
    };
    for (name, state) in states {
        let place = format!("{place} > {name}");
        for next in transitions(state) {
            if !states.contains_key(next) {
                mistakes.push(format!("{place} leads to `{next}`, which is not a state here"));
            }
        }
        ending(&place, state, mistakes);
        let timed = ["TimeoutSeconds", "TimeoutSecondsPath"]
            .iter()
            .any(|key| state.get(key).is_some());
        if state["Type"] == "Task" && !timed {
            mistakes.push(format!(
                "{place} has no TimeoutSeconds: what never answers would hold the execution"
            ));
        }
        if let Some(processor) = state.get("ItemProcessor").or_else(|| state.get("Iterator")) {
            self::level(&place, processor, mistakes);
        }
        for branch in state["Branches"].as_array().into_iter().flatten() {
            self::level(&place, branch, mistakes);
        }
    }
    let reached = reachable(start, states);
    if !states.contains_key(start) {
        mistakes.push(format!("{place} starts at `{start}`, which is not a state here"));
    }
    for name in states.keys().filter(|name| !reached.contains(name.as_str())) {
        mistakes.push(format!("{place} > {name} can't be reached"));
    }
}

/// The states that a state can lead to.
fn transitions(state: &Value) -> Vec<&str> {
    let listed = ["Choices", "Catch"]
        .into_iter()
        .flat_map(|list| state[list].as_array().into_iter().flatten());
    let nested = listed.filter_map(|rule| rule["Next"].as_str());
    [&state["Next"], &state["Default"]]
        .into_iter()
        .filter_map(Value::as_str)
        .chain(nested)
        .collect()
}

fn ending(place: &str, state: &Value, mistakes: &mut Vec<String>) {
    let (next, end) = (state.get("Next").is_some(), state["End"] == true);
    match state["Type"].as_str() {
        Some("Choice") => {
            if next || end {
                mistakes.push(format!("{place} is a Choice: it has neither Next nor End"));
            }
            if state.get("Default").is_none() {
                mistakes.push(format!(
                    "{place} has no Default: what fits no rule would end the execution"
                ));
            }
        }
        Some("Succeed" | "Fail") if next || end => {
            mistakes.push(format!("{place} ends the execution: it has neither Next nor End"));
        }
        Some("Succeed" | "Fail") => {}
        Some(_) if next == end => mistakes.push(format!("{place} needs either Next or End")),
        Some(_) => {}
        None => mistakes.push(format!("{place} has no Type")),
    }
}

fn reachable<'a>(start: &'a str, states: &'a Map<String, Value>) -> BTreeSet<&'a str> {
    let (mut reached, mut ahead) = (BTreeSet::new(), vec![start]);
    while let Some(name) = ahead.pop() {
        if reached.insert(name) {
            ahead.extend(states.get(name).map(transitions).unwrap_or_default());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sound_machine_has_no_mistakes() {
        let machine = json!({"StartAt": "A", "States": {
            "A": {"Type": "Task", "TimeoutSeconds": 60, "Next": "B", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]},
            "B": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "M"}], "Default": "C"},
            "M": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}},
            "C": {"Type": "Fail"},
        }});
        assert!(check(&machine).is_empty(), "{:?}", check(&machine));
    }

    #[test]
    fn each_mistake_is_found_where_it_is() {
        let machine = json!({"StartAt": "A", "States": {
            "A": {"Type": "Parallel", "Next": "Nowhere", "Branches": [
                {"StartAt": "X", "States": {"X": {"Type": "Pass", "Next": "C"}}}]},
            "B": {"Type": "Pass", "End": true},
            "C": {"Type": "Choice", "Choices": [{"Next": "Away"}]},
            "D": {"Type": "Task", "Next": "B", "End": true, "Catch": [{"Next": "Gone"}]},
        }});
        let found = check(&machine);
        for expected in [
            "machine > A leads to `Nowhere`, which is not a state here",
            "machine > A > X leads to `C`, which is not a state here",
            "machine > B can't be reached",
            "machine > C leads to `Away`, which is not a state here",
            "machine > C has no Default: what fits no rule would end the execution",
            "machine > D needs either Next or End",
            "machine > D has no TimeoutSeconds: what never answers would hold the execution",
            "machine > D leads to `Gone`, which is not a state here",
        ] {
            assert!(found.iter().any(|mistake| mistake == expected), "{expected}: {found:?}");
        }
    }

    #[test]
    fn what_the_template_gives_is_what_the_machine_asks_for() {
        let template = "\
Resources:
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machines/a.asl.json
      DefinitionSubstitutions:
        Stack: !Ref Prefix
        Idle: x
";
        let template = Marked::parse(template).unwrap();
        let found = check_substitutions("${Stack} ${Gate} ${Stack}", "machines/a.asl.json", &template);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("${Gate}") && found[1].contains("Idle"), "{found:?}");
        assert!(check_substitutions("${Stack} ${Idle}", "machines/a.asl.json", &template).is_empty());
        assert!(check_substitutions("", "machines/b.asl.json", &template)[0].contains("b.asl.json"));
    }
}
