//! JSON lines: never a panic; rows, columns and missing values are the same as with serde_json, where both are equally
//! strict; the number of threads makes no difference, and blocks only where they must.
//!
//! Input: a byte of settings, then files, separated by 0x1c.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::profile::Profile;
use monitor::read::Format;
use monitor_fuzz::{How, check, parts, profile, same_but_for_blocks, write, written};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// A value, as far as it affects columns; objects keep the order of members, and repeated ones.
enum Node {
    Null,
    Value,
    Object(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, target: &mut fmt::Formatter<'_>) -> fmt::Result {
        target.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        while items.next_element::<Node>()?.is_some() {}
        Ok(Node::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = items.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

/// The columns of a row; if one occurs twice, the last one counts.
fn columns(path: &str, members: &[(String, Node)], row: &mut BTreeMap<String, bool>) {
    for (key, node) in members {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match node {
            Node::Null => _ = row.insert(path, false),
            Node::Value => _ = row.insert(path, true),
            Node::Object(members) => columns(&path, members, row),
        }
    }
}

/// The columns of all rows; `None` if serde_json is stricter, or allows deeper nesting.
fn table(files: &[&[u8]]) -> Option<Vec<BTreeMap<String, bool>>> {
    let mut rows = Vec::new();
    for file in files {
        let text = String::from_utf8_lossy(file);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for line in text.split('\n') {
            let nested = line.bytes().filter(|it| matches!(it, b'[' | b'{')).count();
            if nested > 60 {
                return None;
            }
            match serde_json::from_str(line) {
                Ok(Node::Object(members)) => {
                    let mut row = BTreeMap::new();
                    columns("", &members, &mut row);
                    rows.push(row);
                }
                Ok(_) => {}
                Err(_) => {
                    let more = ["\\u", "e", "E", "NaN", "Infinity"];
                    // Half a surrogate, a number beyond doubles (which may need no exponent), and words.
                    if line.len() > 300 || more.iter().any(|it| line.contains(it)) {
                        return None;
                    }
                }
            }
        }
    }
    Some(rows)
}

fn agrees(profile: Option<&Profile>, rows: &[BTreeMap<String, bool>]) {
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, present) in rows.iter().flatten() {
        *expected.entry(name).or_default() += u64::from(*present);
    }
    let Some(profile) = profile else {
        assert!(rows.is_empty(), "{} rows were not read", rows.len());
        return;
    };
    assert_eq!(profile.rows, rows.len() as u64);
    let found: BTreeMap<&str, u64> = profile
        .columns
        .iter()
        .map(|it| (it.name.as_str(), it.present))
        .collect();
    assert_eq!(found, expected);
    assert!(profile.columns.is_sorted_by(|a, b| a.name < b.name));
}

fuzz_target!(|data: &[u8]| {
    let [settings, data @ ..] = data else {
        return;
    };
    let block = [16, 48, 100, 400][usize::from(settings & 3)];
    let files = parts(data);
    if files
        .iter()
        .any(|it| it.starts_with(b"\x1f\x8b") || it.starts_with(b"\x28\xb5\x2f\xfd"))
    {
        return;
    }
    write(&files);
    let one = How {
        threads: 1,
        ..How::default()
    };
    let blocks = How {
        block: Some(block),
        ..one
    };
    let three = How { threads: 3, ..blocks };
    let whole = profile(&Format::JsonLines, one);
    let cut = profile(&Format::JsonLines, blocks);
    assert_eq!(
        cut.as_ref().map(written),
        profile(&Format::JsonLines, three).as_ref().map(written)
    );
    if let Some(rows) = table(&files) {
        agrees(whole.as_ref().ok(), &rows);
        agrees(cut.as_ref().ok(), &rows);
    }
    if let Ok(whole) = &whole {
        check(whole);
        same_but_for_blocks(whole, &cut.expect("what can be read at once can be read in blocks"));
        if settings & 0x40 != 0
            && let Some(column) = whole.columns.first()
        {
            let segment = Some(column.name.as_str());
            let one = profile(&Format::JsonLines, How { segment, ..blocks }).ok();
            let several = profile(&Format::JsonLines, How { segment, ..three }).ok();
            assert_eq!(one.as_ref().map(written), several.as_ref().map(written));
            one.iter().for_each(check);
        }
    }
});
