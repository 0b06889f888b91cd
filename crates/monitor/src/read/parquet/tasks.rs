//! Reads the columns of row groups into one profile, on all cores.

use super::super::error::Error;
use super::super::options::{Options, Progress};
use super::column::{self, Scratch, Values};
use super::opened::{Opened, damaged};
use crate::profile::{Column, Notes, Oddity, Profile, Segments};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// One column of one row group.
struct Task {
    opened: Arc<Opened>,
    row_group: usize,
    column: usize,
    /// Index of the row group, counted over all files.
    group: usize,
}

/// The pending tasks, in order. A file is opened when its first task is due.
struct Tasks<'a> {
    files: &'a [PathBuf],
    first: Arc<Opened>,
    current: Option<Arc<Opened>>,
    row_group: usize,
    column: usize,
    group: usize,
}

impl Tasks<'_> {
    fn next(&mut self) -> Result<Option<Task>, Error> {
        loop {
            let Some(opened) = self.current.clone() else {
                return Ok(None);
            };
            let metadata = opened.plain.metadata();
            if self.row_group == metadata.num_row_groups() {
                self.row_group = 0;
                let file = opened.file + 1;
                self.current = match self.files.get(file) {
                    Some(path) => {
                        let opened = Opened::open(path, file)?;
                        opened.check(&self.first)?;
                        Some(Arc::new(opened))
                    }
                    None => None,
                };
                continue;
            }
            let columns = metadata.row_group(self.row_group).num_columns();
            if self.column == columns {
                self.column = 0;
                self.row_group += 1;
                self.group += 1;
                continue;
            }
            let task = Task {
                row_group: self.row_group,
                column: self.column,
                group: self.group,
                opened,
            };
            self.column += 1;
            return Ok(Some(task));
        }
    }
}

/// The result of a task, or the merged results of several.
struct Found {
    column: Column,
    /// The results for the rows of each segment, in the order in which segments occur.
    segments: Vec<(String, Column)>,
    /// Number of rows in segments beyond the limit.
    beyond: u64,
    notes: Notes,
}

impl Found {
    fn new(column: &Column) -> Self {
        Self {
            column: column.fresh(),
            segments: Vec::new(),
            beyond: 0,
            notes: Notes::default(),
        }
    }

    fn merge(&mut self, later: Self) {
        self.column.merge(&later.column);
        self.notes.merge(&later.notes);
        self.beyond += later.beyond;
        for (value, column) in later.segments {
            if let Some((_, own)) = self.segments.iter_mut().find(|(it, _)| *it == value) {
                own.merge(&column);
            } else if self.segments.len() < Segments::MOST {
                self.segments.push((value, column));
            } else {
                self.beyond += column.present + column.missing;
            }
        }
    }
}

/// The results for a column, merged in the order of its row groups.
struct Merged {
    next: usize,
    waiting: BTreeMap<usize, Found>,
    found: Found,
}

struct Shared<'a> {
    tasks: Mutex<Tasks<'a>>,
    merged: Vec<Mutex<Merged>>,
    empty: &'a Profile,
    segment: Option<usize>,
    read: Arc<AtomicU64>,
    failed: AtomicBool,
}

type Failure = ((usize, usize), Error);

/// If a thread panicked while it held a lock, the panic is passed on when it is joined.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads all files; the first has been opened already. The values of the column `segment` form segments.
pub(super) fn run(
    files: &[PathBuf],
    first: Opened,
    empty: &Profile,
    segment: Option<usize>,
    options: &Options<'_>,
) -> Result<Profile, Error> {
    let first = Arc::new(first);
    let merged = |column: &Column| {
        Mutex::new(Merged {
            next: 0,
            waiting: BTreeMap::new(),
            found: Found::new(column),
        })
    };
    let shared = Shared {
        tasks: Mutex::new(Tasks {
            files,
            current: Some(first.clone()),
            first,
            row_group: 0,
            column: 0,
            group: 0,
        }),
        merged: empty.columns.iter().map(merged).collect(),
        empty,
        segment,
        read: Arc::default(),
        failed: AtomicBool::new(false),
    };
    let threads = options
        .threads
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    let total = super::super::files::total_bytes(files);
    let progress = Progress::new(options.on_progress, total, shared.read.clone());
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|_| scope.spawn(|| shared.work(&Progress::default())))
            .collect();
        let mut failures: Vec<Failure> = shared.work(&progress).err().into_iter().collect();
        for other in others {
            // A panic of a thread is passed on.
            let ended = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            failures.extend(ended.err());
        }
        // The failure that is first in the data, so that the same data always gives the same error.
        let first = failures.into_iter().min_by_key(|(at, _)| *at);
        first.map_or(Ok(()), |(_, error)| Err(error))
    })?;
    progress.tick();
    Ok(shared.profile())
}

impl Shared<'_> {
    fn work(&self, progress: &Progress<'_>) -> Result<(), Failure> {
        let mut scratch = Scratch::default();
        while !self.failed.load(Ordering::Relaxed) {
            progress.tick();
            let next = {
                let mut tasks = lock(&self.tasks);
                tasks.next().map_err(|error| ((tasks.group, tasks.column), error))
            };
            let Some(task) = next.inspect_err(|_| self.failed.store(true, Ordering::Relaxed))? else {
                break;
            };
            let found = self.find(&task, &mut scratch).map_err(|error| {
                self.failed.store(true, Ordering::Relaxed);
                ((task.group, task.column), error)
            })?;
            let chunk = task
                .opened
                .plain
                .metadata()
                .row_group(task.row_group)
                .column(task.column);
            let bytes = u64::try_from(chunk.compressed_size()).unwrap_or(0);
            self.read.fetch_add(bytes, Ordering::Relaxed);
            self.merge(&task, found);
        }
        Ok(())
    }

    fn merge(&self, task: &Task, found: Found) {
        let Some(merged) = self.merged.get(task.column) else {
            return;
        };
        let mut merged = lock(merged);
        merged.waiting.insert(task.group, found);
        let mut next = merged.next;
        while let Some(found) = merged.waiting.remove(&next) {
            if next == 0 {
                merged.found = found;
            } else {
                merged.found.merge(found);
            }
            next += 1;
            merged.next = next;
        }
    }

    fn find(&self, task: &Task, scratch: &mut Scratch) -> Result<Found, Error> {
        let Some(column) = self.empty.columns.get(task.column) else {
            return Err(damaged(
                &task.opened.path,
                &"a row group has more columns than the file",
            ));
        };
        let mut found = Found::new(column);
        let mut columns = vec![task.column];
        columns.extend(self.segment.filter(|it| *it != task.column));
        columns.sort_unstable();
        let position = |wanted: usize| columns.iter().position(|it| *it == wanted).unwrap_or(0);
        let mut segments = InSegments::default();
        let mut rows = 0;
        for batch in task.opened.read(task.row_group, &columns)? {
            let batch = batch?;
            let unreadable = |at: usize| {
                let array = batch.column(at);
                Error::File {
                    path: task.opened.path.clone(),
                    what: format!(
                        "column `{}` has the type {}, which can't be read: write it as text or number, or leave it out",
                        column.name,
                        array.data_type()
                    ),
                }
            };
            let at = position(task.column);
            let values = column::values(batch.column(at)).ok_or_else(|| unreadable(at))?;
            let odd = values.push_all(&mut found.column, scratch);
            note(&mut found.notes, &values, odd, task, column);
            rows += values.len() as i64;
            if let Some(segment) = self.segment {
                let at = position(segment);
                let names = column::values(batch.column(at)).ok_or_else(|| unreadable(at))?;
                segments.push(&names, &values, &mut found, column, scratch);
            }
        }
        let expected = task.opened.plain.metadata().row_group(task.row_group).num_rows();
        if rows != expected {
            let what = format!("row group {} has {rows} rows instead of {expected}", task.row_group);
            return Err(damaged(&task.opened.path, &what));
        }
        Ok(found)
    }

    fn profile(self) -> Profile {
        let mut profile = Profile::default();
        let mut segments = self
            .segment
            .and_then(|at| self.empty.columns.get(at))
            .map(|it| Segments {
                column: it.name.clone(),
                ..Segments::default()
            });
        for (at, merged) in self.merged.into_iter().enumerate() {
            let found = merged.into_inner().unwrap_or_else(PoisonError::into_inner).found;
            profile.rows = found.column.present + found.column.missing;
            profile.notes.merge(&found.notes);
            profile.columns.push(found.column);
            let Some(segments) = &mut segments else {
                continue;
            };
            if at == 0 {
                segments.rows_beyond = found.beyond;
            }
            for (value, column) in found.segments {
                let own = segments.profiles.entry(value).or_default();
                own.rows = column.present + column.missing;
                own.columns.push(column);
            }
        }
        profile.segments = segments;
        profile
    }
}

fn note(notes: &mut Notes, values: &Values<'_>, not_finite: u64, task: &Task, column: &Column) {
    let place = || {
        let (path, group) = (task.opened.path.display(), task.row_group);
        format!("{path}: column `{}`, row group {group}", column.name)
    };
    for _ in 0..not_finite {
        notes.add(Oddity::NotFinite, place);
    }
    if let Values::Texts { repaired, .. } = values {
        for _ in 0..*repaired {
            notes.add(Oddity::InvalidUtf8, place);
        }
    }
}

/// The rows of a batch by segment.
#[derive(Default)]
struct InSegments {
    known: HashMap<String, usize>,
    rows: Vec<Vec<usize>>,
}

impl InSegments {
    /// Adds values to the segments given by `names`. Segments are ordered by their first rows, which is the same order
    /// for all columns.
    fn push(
        &mut self,
        names: &Values<'_>,
        values: &Values<'_>,
        found: &mut Found,
        column: &Column,
        scratch: &mut Scratch,
    ) {
        self.rows.iter_mut().for_each(Vec::clear);
        for row in 0..names.len() {
            let Some(name) = names.text(row).filter(|it| !it.is_empty()) else {
                continue;
            };
            let at = match self.known.get(name.as_ref()) {
                Some(at) => *at,
                None if self.rows.len() < Segments::MOST => {
                    let at = self.rows.len();
                    self.rows.push(Vec::new());
                    found.segments.push((name.clone().into_owned(), column.fresh()));
                    self.known.insert(name.into_owned(), at);
                    at
                }
                None => {
                    found.beyond += 1;
                    continue;
                }
            };
            if let Some(rows) = self.rows.get_mut(at) {
                rows.push(row);
            }
        }
        for (rows, (_, column)) in self.rows.iter().zip(&mut found.segments) {
            values.push(column, rows.iter().copied(), scratch);
        }
    }
}
