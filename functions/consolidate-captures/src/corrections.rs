//! Labels that correct earlier ones: the rows with the earlier labels are removed from what readers see when those with
//! the new labels are added.

use crate::labels::Labels;
use crate::records::{PackedLines, Reading, id};
use crate::sink::Sink;
use crate::{ConsolidateCaptures, Error};
use consolidate::text::whole_lines;
use contracts::ModelRun;
use contracts::monitoring::PastWindow;
use contracts::places::{self, MonitoringPlaces, Table};
use contracts::reporting::{GroundTruthRow, day, window_name};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

/// A committed window some of whose rows are corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Corrected {
    /// Its number.
    pub number: u64,
    /// When it was opened: the day of its reporting files.
    pub from: Timestamp,
    /// How many of its rows are left.
    pub rows: u64,
}

/// The key at which readers find the labels of a window.
pub(crate) fn reported_truths(use_case: &str, model: &str, number: u64, from: Timestamp) -> String {
    let name = format!("{}.jsonl.gz", window_name(number));
    Table::GroundTruth.key(use_case, model, day(from), &name)
}

/// The key at which training finds the labelled rows of a window.
pub(crate) fn labelled_rows(use_case: &str, model: &str, number: u64) -> String {
    format!(
        "{}{}.csv",
        places::use_case::labelled(use_case, model),
        window_name(number)
    )
}

/// The key of what is left of a window's rows, for one of the two kinds of rows (`of`).
pub(crate) fn left_of(places: &MonitoringPlaces<'_>, of: &str, number: u64) -> String {
    format!("{}{of}/{}", places.input("corrected"), window_name(number))
}

impl ConsolidateCaptures {
    /// Compares labels with those that their rows had in former windows.
    pub(crate) async fn compare(
        &self,
        run: &ModelRun,
        windows: impl Iterator<Item = &PastWindow>,
        labels: &mut Labels,
    ) -> Result<(), Error> {
        for window in windows {
            // Only windows that are in the index are compared, and whoever adds one to it knows when it was opened.
            let Some(from) = window.from else { continue };
            let key = reported_truths(&run.use_case, &run.model, window.number, from);
            let uri = places::uri(self.documents.bucket(), &key);
            let Some(mut lines) = PackedLines::open(&self.documents, &uri).await? else {
                continue;
            };
            while let Some(text) = lines.next().await? {
                for line in text.split(|byte| *byte == b'\n') {
                    if id(line).is_some_and(|id| labels.contains(&id))
                        && let Ok(row) = serde_json::from_slice::<GroundTruthRow>(line)
                    {
                        labels.known(&row.id, row.label, window.number);
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what is left of windows without the corrected rows; `corrected` has the ids of these rows by window.
    pub(crate) async fn correct(
        &self,
        run: &ModelRun,
        places: &MonitoringPlaces<'_>,
        windows: &BTreeMap<u64, Timestamp>,
        corrected: &BTreeMap<u64, BTreeSet<String>>,
    ) -> Result<Vec<Corrected>, Error> {
        let mut done = Vec::new();
        for (number, ids) in corrected {
            // Only windows that were compared have corrected rows, and those are known.
            let Some(from) = windows.get(number).copied() else {
                continue;
            };
            let reported = reported_truths(&run.use_case, &run.model, *number, from);
            let target = left_of(places, "ground-truth", *number);
            let (rows, gone) = self.without(&reported, &target, ids).await?;
            let labelled = labelled_rows(&run.use_case, &run.model, *number);
            let target = left_of(places, "labelled", *number);
            self.without_rows(&labelled, &target, &gone).await?;
            let number = *number;
            done.push(Corrected { number, from, rows });
        }
        Ok(done)
    }

    /// Writes reported labels without those that were corrected; returns how many are left, and the positions of those
    /// removed.
    async fn without(&self, key: &str, target: &str, ids: &BTreeSet<String>) -> Result<(u64, BTreeSet<u64>), Error> {
        let uri = places::uri(self.documents.bucket(), key);
        let (mut rows, mut gone) = (0, BTreeSet::new());
        let Some(mut lines) = PackedLines::open(&self.documents, &uri).await? else {
            return Ok((rows, gone));
        };
        let mut sink = Sink::new(&self.documents, target.to_owned(), "application/gzip");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        while let Some(text) = lines.next().await? {
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                if id(line).is_some_and(|id| ids.contains(&*id)) {
                    gone.insert(rows + gone.len() as u64);
                } else {
                    rows += 1;
                    // Writing into memory can't fail.
                    let _ = packed.write_all(line);
                }
            }
            sink.write(&std::mem::take(packed.get_mut())).await?;
        }
        sink.write(&packed.finish().unwrap_or_default()).await?;
        sink.close().await?;
        Ok((rows, gone))
    }

    /// Writes a CSV with header without some of its rows, given by number. The rows are in the same order as the
    /// labels.
    async fn without_rows(&self, key: &str, target: &str, gone: &BTreeSet<u64>) -> Result<(), Error> {
        let uri = places::uri(self.documents.bucket(), key);
        let Some(mut reading) = Reading::open(&self.documents, &uri).await? else {
            return Ok(());
        };
        let mut sink = Sink::new(&self.documents, target.to_owned(), "text/csv");
        let (mut text, mut number) = (Vec::new(), None);
        loop {
            let chunk = reading.chunk().await?;
            let ended = chunk.is_none();
            text.extend_from_slice(&chunk.unwrap_or_default());
            let end = if ended { text.len() } else { whole_lines(&text, true) };
            let rest = text.split_off(end);
            let mut left = Vec::with_capacity(text.len());
            let mut rest_of = &text[..];
            while !rest_of.is_empty() {
                let (row, others) = rest_of.split_at(row_end(rest_of));
                // Row 0 is the header.
                if number.is_none_or(|number| !gone.contains(&number)) {
                    left.extend_from_slice(row);
                }
                number = Some(number.map_or(0, |number| number + 1));
                rest_of = others;
            }
            sink.write(&left).await?;
            text = rest;
            if ended {
                return sink.close().await;
            }
        }
    }
}

/// The position after the first row, which ends with a line end outside of quotes.
fn row_end(text: &[u8]) -> usize {
    let mut open = false;
    for at in memchr::memchr2_iter(b'\n', b'"', text) {
        if text[at] == b'"' {
            open = !open;
        } else if !open {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_have_lines_in_quotes() {
        assert_eq!(row_end(b"a,b\nc,d\n"), 4);
        assert_eq!(row_end(b"\"a\n\",b\nc\n"), 7);
        assert_eq!(row_end(b"a"), 1);
    }
}
