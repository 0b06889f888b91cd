//! Maps the values of a YAML file to their places: line, column and bytes of each, by path.
//!
//! Reading values is serde's work, which forgets where they were. This module answers "in which line is
//! `models[1].metric.name`?" and "which bytes are that value?". CloudFormation's tags are no obstacle: values are not
//! interpreted.

use anyhow::{Result, anyhow};
use granit_parser::{Event, Parser, Span};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// The values of a document, by path: `models[1].metric.name`; the document itself is the empty path.
#[derive(Debug)]
pub struct Marked(BTreeMap<String, Node>);

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where people look for it: the value itself, or the key whose value is a list or mapping.
    pub at: Position,
    /// The column in which the value begins, counted from 0.
    pub indent: usize,
    /// The bytes of a scalar as written; for a list or mapping, where it begins.
    pub bytes: Range<usize>,
    /// The text of a scalar; `None` for lists and mappings.
    pub text: Option<String>,
}

/// A place in a file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A key of a mapping with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub name: String,
    /// The place of the key.
    pub at: Position,
    /// The bytes of the key.
    pub key: Range<usize>,
    /// The bytes of key and value.
    pub bytes: Range<usize>,
    /// The mapping that it is of: a number of its own for each.
    pub mapping: usize,
    /// Whether the mapping is written in braces.
    pub in_braces: bool,
}

enum Frame {
    Mapping {
        path: String,
        key: Option<(String, Position)>,
    },
    List {
        path: String,
        next: usize,
    },
}

impl Marked {
    /// Marks the first document of `source`.
    ///
    /// # Errors
    /// It is not YAML; the text says where.
    pub fn parse(source: &str) -> Result<Self> {
        let mut nodes = BTreeMap::new();
        let mut frames: Vec<Frame> = Vec::new();
        for next in Parser::new_from_str(source) {
            let (event, span) = next.map_err(|error| anyhow!("{error}"))?;
            match event {
                Event::MappingStart(..) => {
                    let path = enter(&mut frames, &mut nodes, None, span);
                    frames.push(Frame::Mapping { path, key: None });
                }
                Event::SequenceStart(..) => {
                    let path = enter(&mut frames, &mut nodes, None, span);
                    frames.push(Frame::List { path, next: 0 });
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    frames.pop();
                }
                Event::Scalar(text, ..) => {
                    if let Some(Frame::Mapping { key: key @ None, .. }) = frames.last_mut() {
                        *key = Some((text.into_owned(), position(span)));
                    } else {
                        enter(&mut frames, &mut nodes, Some(text.into_owned()), span);
                    }
                }
                Event::Alias(_) => {
                    enter(&mut frames, &mut nodes, None, span);
                }
                Event::DocumentEnd => break,
                _ => {}
            }
        }
        Ok(Self(nodes))
    }

    /// The value at a path.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.0.get(path)
    }

    /// The place of a path, or of the nearest one that encloses it: a default that is not written down has no place of
    /// its own.
    pub fn locate(&self, path: &str) -> Position {
        let mut path = path;
        loop {
            if let Some(node) = self.0.get(path) {
                return node.at;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => break,
            }
        }
        self.0.get("").map_or(Position { line: 1, column: 1 }, |node| node.at)
    }

    /// The path of the scalar at a place.
    pub fn path_at(&self, at: Position) -> Option<&str> {
        let found = self.0.iter().find(|(_, node)| node.at == at && node.text.is_some());
        found.map(|(path, _)| path.as_str())
    }

    /// The paths directly below that of a mapping or list.
    pub fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(String::as_str).filter(move |path| {
            path.strip_prefix(parent).is_some_and(|rest| {
                let rest = rest
                    .strip_prefix(['.', '['])
                    .unwrap_or(if parent.is_empty() { rest } else { "" });
                !rest.is_empty() && !rest.contains(['.', '['])
            })
        })
    }
}

/// The entries of all mappings of a YAML text, also of keys that are given twice.
///
/// # Errors
/// It is not YAML.
pub fn entries(source: &str) -> Result<Vec<Entry>> {
    /// A mapping, or a list, that has begun; the entry whose value is being read.
    struct Open {
        mapping: Option<usize>,
        in_braces: bool,
        entry: Option<Entry>,
    }
    let (mut found, mut open, mut mappings) = (Vec::new(), Vec::<Open>::new(), 0);
    for next in Parser::new_from_str(source) {
        let (event, span) = next.map_err(|error| anyhow!("{error}"))?;
        let start = span.start.byte_offset().unwrap_or_default();
        let bytes = span.byte_range().unwrap_or(start..start);
        let ended = match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let is_mapping = matches!(event, Event::MappingStart(..));
                mappings += usize::from(is_mapping);
                open.push(Open {
                    mapping: is_mapping.then_some(mappings),
                    in_braces: source[start..].starts_with('{'),
                    entry: None,
                });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                // In block style, this is where the next value begins.
                if source[start..].starts_with(['}', ']']) {
                    start + 1
                } else {
                    start
                }
            }
            Event::Scalar(ref text, ..) => {
                if let Some(Open {
                    mapping: Some(mapping),
                    in_braces,
                    entry: entry @ None,
                }) = open.last_mut()
                {
                    *entry = Some(Entry {
                        name: text.to_string(),
                        at: position(span),
                        key: bytes.clone(),
                        bytes,
                        mapping: *mapping,
                        in_braces: *in_braces,
                    });
                    continue;
                }
                bytes.end
            }
            Event::Alias(_) => bytes.end,
            Event::DocumentEnd => break,
            _ => continue,
        };
        if let Some(mut entry) = open.last_mut().and_then(|it| it.entry.take()) {
            // A value that is left out stands at its key: the colon belongs to the entry.
            let colon = source[entry.key.end..].find(':').map_or(0, |at| at + 1);
            entry.bytes.end = ended.max(entry.key.end + colon);
            found.push(entry);
        }
    }
    Ok(found)
}

/// Records a value that begins; returns its path.
fn enter(frames: &mut [Frame], nodes: &mut BTreeMap<String, Node>, text: Option<String>, span: Span) -> String {
    let own = position(span);
    let (path, at) = match frames.last_mut() {
        None => (String::new(), own),
        Some(Frame::List { path, next }) => {
            let position = *next;
            *next += 1;
            (format!("{path}[{position}]"), own)
        }
        Some(Frame::Mapping { path, key }) => {
            // A key that is itself a mapping has no name; our documents have no such keys.
            let (name, at) = key.take().unwrap_or_else(|| ("?".to_owned(), own));
            let path = if path.is_empty() {
                name
            } else {
                format!("{path}.{name}")
            };
            (path, if text.is_some() { own } else { at })
        }
    };
    let start = span.start.byte_offset().unwrap_or_default();
    let node = Node {
        at,
        indent: own.column - 1,
        bytes: span.byte_range().unwrap_or(start..start),
        text,
    };
    // Of a key that is given twice the first: at the second, the reader of values stops.
    nodes.entry(path.clone()).or_insert(node);
    path
}

fn position(span: Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENT: &str = "\
# a use case
use_case: cars
models:
  - name: one
    metric: {name: 'validation:rmse', root: false}
  - name: two
    metric:
      name: validation:mse
";

    #[test]
    fn values_are_found_where_they_stand() {
        let marked = Marked::parse(DOCUMENT).unwrap();
        let place = |path| {
            let at = marked.locate(path);
            (at.line, at.column)
        };
        assert_eq!(place("use_case"), (2, 11));
        assert_eq!(place("models[1].metric.name"), (8, 13));
        assert_eq!(place("models[0].metric.name"), (5, 20));
        assert_eq!(place("models[1].metric"), (7, 5), "a mapping is found by its key");
        assert_eq!(place("models[1]"), (6, 5));
        assert_eq!(
            place("models[1].threshold_rmse"),
            (6, 5),
            "what is missing is found where it should be"
        );
        assert_eq!(place("split.holdout"), (2, 1));
    }

    #[test]
    fn the_bytes_of_a_value_can_be_replaced() {
        let marked = Marked::parse(DOCUMENT).unwrap();
        let name = marked.get("models[0].metric.name").unwrap();
        assert_eq!(name.text.as_deref(), Some("validation:rmse"));
        assert_eq!(&DOCUMENT[name.bytes.clone()], "'validation:rmse'");
        assert_eq!(marked.get("models").unwrap().text, None);
    }

    #[test]
    fn cloudformation_tags_are_no_obstacle() {
        let marked = Marked::parse("A:\n  B: !Sub '${X}-y'\n  C: !GetAtt [D, Arn]\n  E: !Ref F\n").unwrap();
        assert_eq!(marked.get("A.B").unwrap().text.as_deref(), Some("${X}-y"));
        assert_eq!(marked.get("A.C[1]").unwrap().text.as_deref(), Some("Arn"));
        assert_eq!(marked.children("A").collect::<Vec<_>>(), ["A.B", "A.C", "A.E"]);
        assert_eq!(marked.children("").collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn what_is_no_yaml_is_an_error_with_a_place() {
        let error = Marked::parse("a: 1\nb: [1}").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[a-c:\\-\\[\\]{}, \n'\"#&*!|>]{0,60}") {
            if let Ok(marked) = Marked::parse(&text) {
                marked.locate("a.b[0].c");
            }
        }
    }
}
