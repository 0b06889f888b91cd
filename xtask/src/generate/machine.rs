//! A state machine of its source: the States Language as YAML, in which names stand for blocks.
//!
//! - `Call: NAME` stands for the fields of the block, where the state doesn't say them itself.
//! - A name in `Retry` or `Catch`, alone or in the list, stands for the block's list.
//! - `Parameters: NAME` stands for the block.
//!
//! A block is looked for in the source's own `Blocks`, then in those that all machines share. Nothing else is replaced.

use super::ordered::{Map, Node};
use anyhow::{Context, Result, bail};

/// The order of a state's fields, whoever they come from; other fields follow.
const FIELDS: &str = "Type Comment SecondsPath Choices Resource Result Branches Seconds OutputPath Error ItemsPath Default \
    Parameters CausePath MaxConcurrency TimeoutSeconds ItemProcessor ResultSelector ResultPath Retry Catch Next End";

/// The blocks of a file, by the field that names them.
///
/// # Errors
/// It is not YAML.
pub fn blocks(file: &str, text: &str) -> Result<Map> {
    serde_saphyr::from_str(text).with_context(|| format!("{file} is not YAML"))
}

/// The machine of a source, as JSON.
///
/// # Errors
/// The source is not YAML, or a state names a block that there is not.
pub fn machine(file: &str, source: &str, shared: &Map) -> Result<String> {
    let mut machine: Map = serde_saphyr::from_str(source).with_context(|| format!("{file} is not YAML"))?;
    let own = machine.take("Blocks").unwrap_or(Node::Map(Map::default()));
    let own = own.map().with_context(|| format!("{file}: Blocks is no mapping"))?;
    let blocks = Blocks {
        file,
        tables: [own, shared],
    };
    blocks.put_into_level(&mut machine)?;
    Ok(serde_json::to_string_pretty(&machine)? + "\n")
}

struct Blocks<'a> {
    file: &'a str,
    tables: [&'a Map; 2],
}

impl Blocks<'_> {
    /// One level: the machine itself, a branch of a Parallel, or the processor of a Map.
    fn put_into_level(&self, level: &mut Map) -> Result<()> {
        let Some(states) = level.get_mut("States").and_then(Node::map_mut) else {
            bail!("{}: a level has no States", self.file);
        };
        for (name, state) in &mut states.0 {
            let state = state
                .map_mut()
                .with_context(|| format!("{}: {name} is no state", self.file))?;
            self.put_into_state(state)
                .with_context(|| format!("{}: state {name}", self.file))?;
            if let Some(processor) = state.get_mut("ItemProcessor").and_then(Node::map_mut) {
                self.put_into_level(processor)?;
            }
            if let Some(Node::List(branches)) = state.get_mut("Branches") {
                for branch in branches.iter_mut().filter_map(Node::map_mut) {
                    self.put_into_level(branch)?;
                }
            }
        }
        Ok(())
    }

    fn put_into_state(&self, state: &mut Map) -> Result<()> {
        if let Some(call) = state.take("Call") {
            let name = call.text().context("Call is no name")?;
            let Node::Map(fields) = self.block("Call", name)? else {
                bail!("block `{name}` of Call is no mapping");
            };
            for (field, value) in fields.0 {
                if state.get(&field).is_none() {
                    state.0.push((field, value));
                }
            }
        }
        for field in ["Retry", "Catch"] {
            if let Some(rules) = state.get_mut(field) {
                *rules = self.rules(field, rules.clone())?;
            }
        }
        if let Some(parameters) = state.get_mut("Parameters")
            && let Some(name) = parameters.text()
        {
            *parameters = self.block("Parameters", name)?;
        }
        let place = |field: &str| FIELDS.split(' ').position(|known| known == field).unwrap_or(usize::MAX);
        state.0.sort_by_key(|(field, _)| place(field));
        Ok(())
    }

    /// A list of rules in which every name is replaced by its block's.
    fn rules(&self, field: &str, written: Node) -> Result<Node> {
        let written = match written {
            Node::List(rules) => rules,
            name => vec![name],
        };
        let mut rules = Vec::new();
        for rule in written {
            match rule.text() {
                Some(name) => match self.block(field, name)? {
                    Node::List(block) => rules.extend(block),
                    _ => bail!("block `{name}` of {field} is no list"),
                },
                None => rules.push(rule),
            }
        }
        Ok(Node::List(rules))
    }

    fn block(&self, field: &str, name: &str) -> Result<Node> {
        let tables = || self.tables.iter().filter_map(|table| table.get(field)?.map());
        if let Some(block) = tables().find_map(|blocks| blocks.get(name)) {
            return Ok(block.clone());
        }
        let known: Vec<&str> = tables()
            .flat_map(|blocks| blocks.0.iter().map(|(name, _)| name.as_str()))
            .collect();
        bail!("{field} has no block `{name}`; there are {}", known.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = "
Call:
  gate: { Type: Task, Resource: '${Gate}', TimeoutSeconds: 60, Retry: busy }
Retry:
  busy: [{ ErrorEquals: [Busy], MaxAttempts: 2 }]
";

    fn made(source: &str) -> Result<String> {
        machine("m.asl.yaml", source, &blocks("blocks.yaml", SHARED).unwrap())
    }

    #[test]
    fn names_stand_for_blocks_and_nothing_else_changes() {
        let source = "
StartAt: Judge
States:
  Judge:
    Call: gate
    Parameters: request
    TimeoutSeconds: 90
    Catch: [{ ErrorEquals: [Late], Next: Judge }, leave]
    Next: Each
  Each:
    Type: Map
    ItemProcessor:
      StartAt: Ask
      States:
        Ask: { Call: gate, Retry: [busy, { ErrorEquals: [Slow] }], Parameters: { Call: gate, Retry: busy }, End: true }
    End: true
Blocks:
  Catch:
    leave: [{ ErrorEquals: [States.ALL], Next: Judge }]
  Parameters:
    request: { z.$: $.z, a: null }
";
        let expected = r#"{
  "StartAt": "Judge",
  "States": {
    "Judge": {
      "Type": "Task",
      "Resource": "${Gate}",
      "Parameters": { "z.$": "$.z", "a": null },
      "TimeoutSeconds": 90,
      "Retry": [{ "ErrorEquals": ["Busy"], "MaxAttempts": 2 }],
      "Catch": [
        { "ErrorEquals": ["Late"], "Next": "Judge" },
        { "ErrorEquals": ["States.ALL"], "Next": "Judge" }
      ],
      "Next": "Each"
    },
    "Each": {
      "Type": "Map",
      "ItemProcessor": {
        "StartAt": "Ask",
        "States": {
          "Ask": {
            "Type": "Task",
            "Resource": "${Gate}",
            "Parameters": { "Call": "gate", "Retry": "busy" },
            "TimeoutSeconds": 60,
            "Retry": [{ "ErrorEquals": ["Busy"], "MaxAttempts": 2 }, { "ErrorEquals": ["Slow"] }],
            "End": true
          }
        }
      },
      "End": true
    }
  }
}"#;
        // As text: the order of the fields is part of it.
        let expected: Map = serde_json::from_str(expected).unwrap();
        assert_eq!(
            made(source).unwrap(),
            serde_json::to_string_pretty(&expected).unwrap() + "\n"
        );
    }

    #[test]
    fn an_unknown_block_is_told_with_its_file_and_state() {
        let complaint = |state: &str| {
            let source = format!("StartAt: Judge\nStates:\n  Judge: {state}\n");
            format!("{:#}", made(&source).unwrap_err())
        };
        assert_eq!(
            complaint("{ Call: gate, Retry: [busy, bussy] }"),
            "m.asl.yaml: state Judge: Retry has no block `bussy`; there are busy"
        );
        assert_eq!(
            complaint("{ Call: gait }"),
            "m.asl.yaml: state Judge: Call has no block `gait`; there are gate"
        );
        assert_eq!(
            complaint("{ Call: gate, Parameters: request }"),
            "m.asl.yaml: state Judge: Parameters has no block `request`; there are "
        );
    }
}
