//! Members of objects with their expected types, for reading documents. If a value is wrong, the error says where it
//! is, what was expected and what was found.
//!
//! Keys match in any case, with or without underscores: `monitoring_config` and `monitoringConfig` are the same. `null`
//! counts as absent.

use super::error::{DocumentError, Warning};
use super::json::{self, Member, Node, Value};

/// The file that is being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn error(self, node: &Node, what: String) -> DocumentError {
        json::error_at(self.text, self.name, node.offset, what)
    }

    fn expected(self, node: &Node, key: &str, expected: &str) -> DocumentError {
        let found = match &node.value {
            Value::Bool(value) => value.to_string(),
            Value::Whole(value) => value.to_string(),
            Value::Double(value) => value.to_string(),
            Value::Text(text) if text.chars().count() <= 40 => format!("\"{text}\""),
            other => other.kind().to_owned(),
        };
        self.error(node, format!("`{key}` must be {expected}, but is {found}"))
    }

    /// Expects an object; `key` is its name in messages.
    pub(super) fn object(self, node: &'a Node, key: &'a str) -> Result<Fields<'a>, DocumentError> {
        match &node.value {
            Value::Object(members) => Ok(Fields {
                source: self,
                node,
                key,
                members,
            }),
            _ => Err(self.expected(node, key, "an object")),
        }
    }

    pub(super) fn array(self, node: &'a Node, key: &str) -> Result<&'a [Node], DocumentError> {
        match &node.value {
            Value::Array(items) => Ok(items),
            _ => Err(self.expected(node, key, "an array")),
        }
    }

    pub(super) fn text(self, node: &'a Node, key: &str) -> Result<&'a str, DocumentError> {
        match &node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.expected(node, key, "a string: put it in double quotes")),
        }
    }

    /// Expects one of several words, ignoring case and underscores.
    pub(super) fn word<T: Copy>(self, node: &Node, key: &str, words: &[(&str, T)]) -> Result<T, DocumentError> {
        let found = match &node.value {
            Value::Text(text) => words.iter().find(|(word, _)| same(word, text.trim())),
            _ => None,
        };
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.expected(node, key, &format!("one of {}", words.join(", ")))
        })
    }

    /// Expects a number, possibly as a string; NaN and the infinities are strings in the contract's files.
    pub(super) fn number(self, node: &Node, key: &str) -> Result<f64, DocumentError> {
        let number = match &node.value {
            Value::Whole(value) => Some(*value as f64),
            Value::Double(value) => Some(*value),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.expected(node, key, "a number"))
    }

    /// Expects a number from 0 to 1.
    pub(super) fn share(self, node: &Node, key: &str) -> Result<f64, DocumentError> {
        let number = self
            .number(node, key)
            .ok()
            .filter(|number| (0.0..=1.0).contains(number));
        number.ok_or_else(|| self.expected(node, key, "a number from 0 to 1"))
    }

    /// Expects a whole number from 0 on, possibly with `.0` or as a string.
    pub(super) fn count(self, node: &Node, key: &str) -> Result<u64, DocumentError> {
        let count = match &node.value {
            Value::Whole(value) => u64::try_from(*value).ok(),
            Value::Text(text) if text.trim().parse::<u64>().is_ok() => text.trim().parse().ok(),
            _ => {
                let number = self.number(node, key).ok();
                // Exact, because it is below 2⁶³.
                number
                    .filter(|value| value.fract() == 0.0 && (0.0..9.2e18).contains(value))
                    .map(|value| value as u64)
            }
        };
        count.ok_or_else(|| self.expected(node, key, "a whole number from 0"))
    }

    /// Expects `Enabled` or `Disabled`, `true` or `false`.
    pub(super) fn switch(self, node: &Node, key: &str) -> Result<bool, DocumentError> {
        match &node.value {
            Value::Bool(value) => Ok(*value),
            Value::Text(text) if same(text.trim(), "true") => Ok(true),
            Value::Text(text) if same(text.trim(), "false") => Ok(false),
            _ => self.word(node, key, &[("Enabled", true), ("Disabled", false)]),
        }
    }
}

/// An object of the file.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) source: Source<'a>,
    pub(super) node: &'a Node,
    key: &'a str,
    members: &'a [Member],
}

impl<'a> Fields<'a> {
    /// The last member with this key.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let member = self.members.iter().rev().find(|member| same(&member.key, key));
        member
            .map(|member| &member.node)
            .filter(|node| node.value != Value::Null)
    }

    pub(super) fn required(&self, key: &str) -> Result<&'a Node, DocumentError> {
        let missing = || {
            self.source
                .error(self.node, format!("`{}` lacks `{key}`: add it", self.key))
        };
        self.get(key).ok_or_else(missing)
    }

    /// The value converted by `read`, if there is one.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(Source<'a>, &'a Node, &str) -> Result<T, DocumentError>,
    ) -> Result<Option<T>, DocumentError> {
        self.get(key).map(|node| read(self.source, node, key)).transpose()
    }

    /// A member that is an object.
    pub(super) fn object(&self, key: &'a str) -> Result<Option<Fields<'a>>, DocumentError> {
        self.get(key).map(|node| self.source.object(node, key)).transpose()
    }

    /// Adds notes about members that are not in `known`, and about repeated ones.
    pub(super) fn check(&self, known: &[&str], notes: &mut Notes) {
        for (index, member) in self.members.iter().enumerate() {
            if !known.iter().any(|known| same(known, &member.key)) {
                let hint =
                    nearest(&member.key, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                notes.add(
                    member.offset,
                    format!(
                        "`{}` is not known in `{}` and has no effect{hint}",
                        member.key, self.key
                    ),
                );
            } else if self.members[..index]
                .iter()
                .any(|before| same(&before.key, &member.key))
            {
                notes.add(
                    member.offset,
                    format!("`{}` is there twice in `{}`: this one counts", member.key, self.key),
                );
            }
        }
    }
}

/// Collected warnings: offsets and messages.
#[derive(Default)]
pub(super) struct Notes(Vec<(usize, String)>);

impl Notes {
    pub(super) fn add(&mut self, offset: usize, message: String) {
        self.0.push((offset, message));
    }

    /// The warnings in the order of the lines.
    pub(super) fn into_warnings(mut self, text: &str) -> Vec<Warning> {
        self.0.sort_by_key(|(offset, _)| *offset);
        // Lines are counted from the previous warning on, so that a long list doesn't scan the file again and again.
        let (mut start, mut lines) = (0, 0);
        let mut warnings = Vec::with_capacity(self.0.len());
        for (offset, message) in self.0 {
            let (line, column) = json::line_and_column(&text[start..], offset - start);
            if let Some(newline) = text[start..offset].rfind('\n') {
                start += newline + 1;
                lines += line - 1;
                warnings.push(Warning {
                    line: lines + 1,
                    column,
                    message,
                });
            } else {
                warnings.push(Warning {
                    line: lines + line,
                    column,
                    message,
                });
            }
        }
        warnings
    }
}

/// The significant letters of a key.
fn plain(key: &str) -> impl Iterator<Item = char> {
    key.chars()
        .filter(|letter| !matches!(letter, '_' | '-'))
        .flat_map(char::to_lowercase)
}

fn same(one: &str, other: &str) -> bool {
    plain(one).eq(plain(other))
}

/// The known key that was probably intended: at most two letters differ, and at most a third of them.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let key: Vec<char> = plain(key).take(64).collect();
    let distances = known
        .iter()
        .map(|known| (edits(&key, &plain(known).collect::<Vec<_>>()), *known));
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance * 3 <= key.len()).then_some(nearest)
}

/// Number of letters to insert, remove or replace (Levenshtein distance).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}
