//! Lines of ground truth that were left out, in the form in which people are notified of them.

use consolidate::Reason;
use contracts::drift::Skipped;
use std::collections::BTreeMap;

/// The most lines that are listed for a file, and the most files that are listed.
const PLACES: usize = 3;
const FILES: usize = 20;

/// Lines that are left out for one reason, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused(BTreeMap<String, (u64, Vec<u64>)>);

impl Refused {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds rows of a file that were left out, the first of them in `line`.
    pub fn add(&mut self, file: &str, line: u64, count: u64) {
        let (rows, lines) = match self.0.get_mut(file) {
            Some(known) => known,
            None => self.0.entry(file.to_owned()).or_default(),
        };
        *rows += count;
        if lines.len() < PLACES {
            lines.push(line);
        }
    }

    /// One entry per file, with the number of lines and the first three of them, worst file first. Files beyond the
    /// limit share an entry.
    pub fn told(&self, reason: Reason) -> Vec<Skipped> {
        let kind = reason.kind();
        let reason = reason.as_str();
        let mut files: Vec<_> = self.0.iter().collect();
        files.sort_by_key(|(file, (rows, _))| (std::cmp::Reverse(*rows), *file));
        let others = files.split_off(files.len().min(FILES));
        let mut told: Vec<Skipped> = files
            .into_iter()
            .map(|(file, (rows, lines))| {
                let lines: Vec<String> = lines.iter().map(u64::to_string).collect();
                Skipped {
                    reason: reason.to_owned(),
                    kind,
                    rows: *rows,
                    first: format!("{file}:{}", lines.join(", ")),
                }
            })
            .collect();
        if let Some((file, _)) = others.first() {
            told.push(Skipped {
                reason: reason.to_owned(),
                kind,
                rows: others.iter().map(|(_, (rows, _))| rows).sum(),
                first: format!("{file} and {} more files", others.len() - 1),
            });
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_in_one_line_with_its_first_three_places() {
        let mut refused = Refused::default();
        for line in [3, 7, 8, 12] {
            refused.add("s3://b/a.csv", line, 1);
        }
        refused.add("s3://b/b.csv", 2, 1);
        let told = refused.told(Reason::NoLabel);
        let told: Vec<_> = told.iter().map(|it| (it.rows, it.first.as_str())).collect();
        assert_eq!(told, [(4, "s3://b/a.csv:3, 7, 8"), (1, "s3://b/b.csv:2")]);
        for file in 0..30 {
            refused.add(&format!("s3://b/c{file:02}.csv"), 9, 1);
        }
        let told = refused.told(Reason::NoLabel);
        assert_eq!(told.len(), 21);
        assert_eq!(
            (told[20].rows, told[20].first.as_str()),
            (12, "s3://b/c18.csv and 11 more files")
        );
    }
}
