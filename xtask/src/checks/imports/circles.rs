//! Circles in a graph of files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// Which files a file needs, and what of each.
pub type Needs = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Files that need each other in a circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The shortest circle, each file once: each needs the next, and the last needs the first.
    pub way: Vec<String>,
    /// What each of them names of the next.
    pub names: Vec<BTreeSet<String>>,
    /// All files that it is entangled with, itself among them: each needs each other, directly or through others.
    pub knot: BTreeSet<String>,
}

impl Circle {
    /// Whether files of at least two of these modules are among its own.
    pub fn spans(&self, modules: &BTreeSet<String>) -> bool {
        let lies_in = |file: &str, module: &str| {
            let rest = file.strip_prefix(module);
            rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
        };
        let found = modules
            .iter()
            .filter(|module| self.knot.iter().any(|file| lies_in(file, module)));
        found.count() > 1
    }
}

impl fmt::Display for Circle {
    /// `a.rs → b.rs → a.rs`, how many more files there are in the knot, and what of the next file each names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.way {
            write!(f, "{file} → ")?;
        }
        f.write_str(self.way.first().map_or("", String::as_str))?;
        let more = self.knot.len() - self.way.len();
        if more > 0 {
            write!(f, " (and {more} more files are entangled with them)")?;
        }
        for (file, names) in self.way.iter().zip(&self.names) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            write!(f, "\n  {file} takes {}", names.join(", "))?;
        }
        Ok(())
    }
}

/// One circle for every knot.
pub fn find(needs: &Needs) -> Vec<Circle> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        needs.keys().map(|file| (file.as_str(), reached(needs, file))).collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for (&file, reached) in &reach {
        if !reached.contains(file) || seen.contains(file) {
            continue;
        }
        let knot: BTreeSet<&str> = reached
            .iter()
            .copied()
            .filter(|other| reach.get(other).is_some_and(|back| back.contains(file)))
            .collect();
        seen.extend(&knot);
        let ways = knot.iter().filter_map(|start| shortest(needs, start));
        found.extend(ways.min_by_key(Vec::len).map(|way| Circle {
            names: names(needs, &way),
            way,
            knot: knot.into_iter().map(str::to_owned).collect(),
        }));
    }
    found
}

/// What each file of a circle names of the next.
fn names(needs: &Needs, way: &[String]) -> Vec<BTreeSet<String>> {
    let next = way.iter().cycle().skip(1);
    let steps = way.iter().zip(next);
    steps
        .filter_map(|(file, next)| needs.get(file)?.get(next).cloned())
        .collect()
}

/// All files that a file needs, directly or through others.
fn reached<'a>(needs: &'a Needs, start: &str) -> BTreeSet<&'a str> {
    let (mut reached, mut ahead) = (BTreeSet::new(), vec![start]);
    while let Some(file) = ahead.pop() {
        for next in needs.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next.as_str()) {
                ahead.push(next);
            }
        }
    }
    reached
}

/// The shortest way from a file back to itself.
fn shortest(needs: &Needs, start: &str) -> Option<Vec<String>> {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut ahead = VecDeque::from([start]);
    while let Some(file) = ahead.pop_front() {
        for next in needs.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut way = vec![file];
                while let Some(before) = way.last().and_then(|last| from.get(last)) {
                    way.push(before);
                }
                return Some(way.into_iter().rev().map(str::to_owned).collect());
            }
            if !from.contains_key(next.as_str()) {
                from.insert(next, file);
                ahead.push_back(next);
            }
        }
    }
    None
}
