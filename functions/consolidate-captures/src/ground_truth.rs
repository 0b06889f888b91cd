//! Files of ground truth: which are new, and which labels they have. Only files that start-run has accepted are read,
//! in the version that it has checked.

use crate::files::{LISTED, listed, listed_after};
use crate::labels::{Label, Labels};
use crate::records::Reading;
use crate::truths::{Row, TruthFile};
use crate::{ConsolidateCaptures, Error};
use ::files::TextStream;
use contracts::monitoring::{Bookmark, GroundTruthFile, LabelRules, WindowRules};
use contracts::places::{self, Drop};
use contracts::{ModelRun, RunId};
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The most files that one window reads.
const MOST_FILES: usize = 1_000;
/// How many documents are read at once.
const AT_ONCE: usize = 16;
/// After this time start-run has accepted or refused a file.
const JUDGED: SignedDuration = SignedDuration::from_hours(1);

/// A version of a file that is to be read.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// Its name in the bookmark.
    pub name: String,
    uri: String,
    version: Option<String>,
    /// When the file was dropped.
    pub came_at: Timestamp,
    /// When the object that makes it new was written.
    pub written_at: Timestamp,
    /// Whether it was dropped before ground truth had to be accepted.
    pub from_before: bool,
}

/// The ground truth that a window can read.
#[derive(Debug, Default)]
pub(crate) struct TruthFiles {
    /// New files, in the order in which they count: a later one corrects earlier ones. A file that was read in part is
    /// continued.
    pub new: Vec<Accepted>,
    /// The names of all files that were listed, with the times at which they were written.
    pub recent: BTreeMap<String, Timestamp>,
    /// Whether there are more files than one window reads.
    pub more: bool,
}

impl ConsolidateCaptures {
    /// The files that no window has read completely.
    pub(crate) async fn truth_files(
        &self,
        run: &ModelRun,
        bookmark: &Bookmark,
        tick: Timestamp,
    ) -> Result<TruthFiles, Error> {
        let folder = places::use_case::accepted_ground_truth(&run.use_case);
        // The name has the time at which the file was dropped, which may be before it was accepted.
        let after = bookmark.ground_truth_horizon.checked_sub(LISTED).ok();
        let after = after.map(|since| format!("{folder}{}", since.strftime("%Y%m%dt%H%M%Sz")));
        let mut files = TruthFiles::default();
        let mut new = Vec::new();
        for object in listed_after(&self.documents, &folder, after.as_deref()).await? {
            let (_, key) = places::parse_uri(&object.uri).unwrap_or_default();
            let name = key.trim_start_matches(&folder).trim_end_matches(".json").to_owned();
            if object.last_modified > bookmark.ground_truth_horizon && !bookmark.ground_truth_seen.contains(&name) {
                new.push((key.to_owned(), name.clone(), object.last_modified));
            }
            files.recent.insert(name, object.last_modified);
        }
        let begun = |name: &str| bookmark.ground_truth_begun.as_ref().is_some_and(|it| it.name == name);
        new.sort_by_key(|(_, name, _)| (!begun(name), name.clone()));
        files.more = new.len() > MOST_FILES;
        new.truncate(MOST_FILES);
        files.new = futures::stream::iter(new)
            .map(|(key, name, written_at)| async move {
                let found = self.documents.get::<GroundTruthFile>(&key).await?;
                Ok::<_, Error>(found.map(|found| Accepted {
                    name,
                    uri: places::uri(&found.value.object.bucket, &found.value.object.key),
                    version: Some(found.value.object.version_id),
                    came_at: found.value.object.last_modified,
                    written_at,
                    from_before: false,
                }))
            })
            .buffered(AT_ONCE)
            .try_filter_map(|found| async move { Ok(found) })
            .try_collect()
            .await?;
        if !bookmark.ground_truth_accepted {
            self.add_from_before(run, bookmark, tick, &mut files).await?;
        }
        files
            .new
            .sort_by_key(|file| (!begun(&file.name), file.came_at, file.name.clone()));
        Ok(files)
    }

    /// Adds files of a stack that did not accept or refuse ground truth yet: those that start-run has not judged.
    async fn add_from_before(
        &self,
        run: &ModelRun,
        bookmark: &Bookmark,
        tick: Timestamp,
        files: &mut TruthFiles,
    ) -> Result<(), Error> {
        for file in listed(&self.documents, &places::incoming(&run.use_case, Drop::GroundTruth)).await? {
            let name = format!("{}@{}", file.uri, file.last_modified);
            files.recent.insert(name.clone(), file.last_modified);
            let is_new = file.last_modified > bookmark.ground_truth_horizon
                && file.last_modified < tick - JUDGED
                && !bookmark.ground_truth_seen.contains(&name);
            if !is_new {
                continue;
            }
            let (bucket, key) = places::parse_uri(&file.uri).unwrap_or_default();
            let head = self
                .documents
                .client()
                .head_object()
                .bucket(bucket)
                .key(key)
                .send()
                .await;
            let head = head.map_err(|error| platform::Error::aws_call(format!("HeadObject {}", file.uri), &error))?;
            let version = head.version_id.unwrap_or_default();
            let judged = RunId::for_drop(file.last_modified, bucket, key, &version);
            let accepted = places::use_case::accepted_ground_truth(&run.use_case);
            let refused = places::use_case::refused_ground_truth(&run.use_case);
            let mut is_judged = false;
            for folder in [accepted, refused] {
                let verdict = self
                    .documents
                    .get::<GroundTruthFile>(&format!("{folder}{judged}.json"))
                    .await?;
                is_judged |= verdict.is_some();
            }
            if !is_judged {
                files.new.push(Accepted {
                    name,
                    uri: file.uri,
                    version: Some(version).filter(|version| !version.is_empty()),
                    came_at: file.last_modified,
                    written_at: file.last_modified,
                    from_before: true,
                });
            }
        }
        Ok(())
    }

    /// Reads labels of a file, at most `left` rows of it, after the `begun` rows that were read before. Returns how
    /// many rows have been read by now, and whether these are all.
    pub(crate) async fn read_truths(
        &self,
        file: &Accepted,
        rules: &WindowRules,
        begun: u64,
        left: usize,
        labels: &mut Labels,
    ) -> Result<(u64, bool), Error> {
        // A file that has been deleted since has no labels.
        let reading = Reading::open_version(&self.documents, &file.uri, file.version.as_deref()).await?;
        let Some(mut reading) = reading else {
            return Ok((begun, true));
        };
        let mut truths = TruthFile::new(&rules.target, &rules.labels.input);
        let mut taking = Taking {
            file,
            rules: &rules.labels,
            begun,
            end: begun + left as u64,
            rows: 0,
            all: true,
            labels,
        };
        let mut stream = TextStream::new(rules.labels.input.encoding, rules.labels.max_bytes);
        loop {
            let chunk = reading.chunk().await?;
            let ended = chunk.is_none();
            match stream.text(&chunk.unwrap_or_default(), ended) {
                Ok(text) => truths.read(&text, ended, |line, row| taking.take(line, row)),
                Err(error) => {
                    tracing::warn!(file = file.uri, %error, "ground truth cannot be read to its end");
                    let line = truths.cut(|line, row| taking.take(line, row));
                    taking.broken(line);
                    return Ok((taking.rows.max(begun), taking.all));
                }
            }
            if ended || !taking.all {
                return Ok((taking.rows, taking.all));
            }
        }
    }
}

/// Takes a file's rows: skips those that an earlier window has taken, and takes as many as this window may.
struct Taking<'a> {
    file: &'a Accepted,
    rules: &'a LabelRules,
    begun: u64,
    end: u64,
    /// The number of rows read so far.
    rows: u64,
    /// Whether the file has been read to its end.
    all: bool,
    labels: &'a mut Labels,
}

impl Taking<'_> {
    fn take(&mut self, line: u64, row: Row) {
        if self.rows == self.end {
            self.all = false;
            return;
        }
        self.rows += 1;
        if self.rows <= self.begun {
            return;
        }
        let (labels, uri) = (&mut *self.labels, &self.file.uri);
        labels.read += row.lines();
        match row {
            Row::Label(_, value) if !self.rules.admit(value) => labels.outside.add(uri, line, 1),
            Row::Label(id, value) => labels.add(&id, Label::new(value, self.file.came_at)),
            Row::Unreadable(lines) => labels.refused.add(uri, line, lines),
            Row::Unclosed(lines) => labels.unclosed.add(uri, line, lines),
        }
    }

    /// The file breaks off; how many rows are lost is unknown.
    fn broken(&mut self, line: u64) {
        if self.all {
            self.labels.read += 1;
            self.labels.broken.add(&self.file.uri, line, 1);
        }
    }
}
