//! Capture files to the analyzer's input and reporting's records: streamed, in pieces that all cores work on, put
//! together in their order. Memory does not grow with the files.

use crate::sink::Sink;
use crate::{ConsolidateCaptures, Error};
use consolidate::capture::{batch_rows, endpoint_lines, is_batch_header};
use consolidate::text::whole_lines;
use consolidate::{Piece, Reason, Skips, Whose};
use contracts::RunId;
use contracts::monitoring::SourceFile;
use contracts::places::{self, MonitoringPlaces};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use std::io::Write as _;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A piece is at least so large, the last of a file excepted.
const PIECE_BYTES: usize = 4 << 20;
/// Pieces that are worked on at the same time.
const AT_ONCE: usize = 3;

/// What was merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Merged {
    pub records: u64,
    pub batch_records: u64,
    pub skips: Skips,
    pub scoring_runs: Vec<RunId>,
}

/// A piece whose records are packed already.
struct Packed {
    piece: Piece,
    /// Of a scoring run's file.
    batch: Option<RunId>,
}

/// The pieces on the way to both outputs.
struct Pipeline<'a> {
    working: FuturesOrdered<JoinHandle<Packed>>,
    data: Sink<'a>,
    records: Sink<'a>,
    merged: Merged,
}

impl ConsolidateCaptures {
    /// Writes `input/data/rows.csv` and `input/records/part-00000.jsonl.gz`.
    pub(crate) async fn merge(
        &self,
        places: &MonitoringPlaces<'_>,
        whose: &Arc<Whose>,
        files: &[SourceFile],
    ) -> Result<Merged, Error> {
        let data = places.input("data") + "rows.csv";
        let records = places.input("records") + "part-00000.jsonl.gz";
        let mut pipeline = Pipeline {
            working: FuturesOrdered::new(),
            data: Sink::new(&self.documents, data, "text/csv"),
            records: Sink::new(&self.documents, records, "application/gzip"),
            merged: Merged::default(),
        };
        pipeline.data.write(&header(&whose.columns)).await?;
        for file in files {
            self.merge_file(whose, file, &mut pipeline).await?;
        }
        while !pipeline.working.is_empty() {
            pipeline.take().await?;
        }
        pipeline.data.close().await?;
        pipeline.records.close().await?;
        Ok(pipeline.merged)
    }

    async fn merge_file(
        &self,
        whose: &Arc<Whose>,
        file: &SourceFile,
        pipeline: &mut Pipeline<'_>,
    ) -> Result<(), Error> {
        let batch = file.uri.ends_with(".csv");
        let (bucket, key) = places::parse_uri(&file.uri).unwrap_or_default();
        let request = self.documents.client().get_object().bucket(bucket).key(key);
        let call = || format!("GetObject {}", file.uri);
        let mut body = request
            .send()
            .await
            .map_err(|error| platform::Error::aws_call(call(), &error))?
            .body;
        let mut work = Work::new(whose, file, batch);
        let mut text: Vec<u8> = Vec::new();
        loop {
            let chunk = body
                .next()
                .await
                .transpose()
                .map_err(|error| platform::Error::AwsCall {
                    call: call(),
                    code: "ResponseUnreadable".to_owned(),
                    message: error.to_string(),
                })?;
            let ended = chunk.is_none();
            text.extend_from_slice(&chunk.unwrap_or_default());
            if !ended && text.len() < PIECE_BYTES {
                continue;
            }
            let end = if ended { text.len() } else { whole_lines(&text, batch) };
            if end > 0 {
                let rest = text.split_off(end);
                let piece = std::mem::replace(&mut text, rest);
                work.start(piece, pipeline);
                if pipeline.working.len() >= AT_ONCE {
                    pipeline.take().await?;
                }
            }
            if ended {
                break;
            }
        }
        Ok(())
    }
}

/// What is known of a file on the way through it.
struct Work {
    whose: Arc<Whose>,
    file: SourceFile,
    batch: bool,
    run: Option<RunId>,
    /// Of a batch: whether its header is the champion's; none before it was read.
    header_fits: Option<bool>,
    /// The number of the next line, from 1.
    line: u64,
}

impl Work {
    fn new(whose: &Arc<Whose>, file: &SourceFile, batch: bool) -> Self {
        let name = file.uri.rsplit('/').next().unwrap_or_default();
        Self {
            whose: Arc::clone(whose),
            file: file.clone(),
            batch,
            run: RunId::parse(name.trim_end_matches(".csv")),
            header_fits: None,
            line: 1,
        }
    }

    /// Has whole lines worked on.
    fn start(&mut self, text: Vec<u8>, pipeline: &mut Pipeline<'_>) {
        let (first, lines) = (self.line, memchr::memchr_iter(b'\n', &text).count() as u64);
        self.line += lines;
        let (whose, file, batch) = (Arc::clone(&self.whose), self.file.clone(), self.batch);
        let mut begin = 0;
        if batch && self.header_fits.is_none() {
            begin = memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1);
            self.header_fits = Some(is_batch_header(&whose, &text[..begin]));
        }
        let (fits, request) = (self.header_fits != Some(false), self.run.clone());
        let task = tokio::task::spawn_blocking(move || {
            let first = first + u64::from(begin > 0);
            let text = &text[begin..];
            let mut piece = match &request {
                _ if !batch => endpoint_lines(&whose, &file.uri, text, first),
                Some(run) if fits => batch_rows(&whose, &file.uri, &run.to_string(), file.last_modified, text, first),
                _ => foreign(&file.uri, text, first),
            };
            piece.records = packed(&piece.records);
            let batch = request.filter(|_| batch);
            Packed { piece, batch }
        });
        pipeline.working.push_back(task);
    }
}

/// Rows of a file that is nobody's.
fn foreign(file: &str, text: &[u8], first: u64) -> Piece {
    let mut piece = Piece::default();
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    let rows = lines.count() as u64;
    if rows > 0 {
        piece.skips.add(Reason::Columns, rows, || format!("{file}:{first}"));
    }
    piece
}

impl Pipeline<'_> {
    /// Writes what the oldest piece has become.
    async fn take(&mut self) -> Result<(), Error> {
        let Some(done) = self.working.next().await else {
            return Ok(());
        };
        let Packed { piece, batch } = match done {
            Ok(packed) => packed,
            // The work has no way to fail but a panic, which is this function's then.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        self.merged.records += piece.count;
        if let Some(run) = batch.filter(|_| piece.count > 0) {
            self.merged.batch_records += piece.count;
            if self.merged.scoring_runs.last() != Some(&run) {
                self.merged.scoring_runs.push(run);
            }
        }
        self.merged.skips.merge(piece.skips);
        self.data.write(&piece.data).await?;
        self.records.write(&piece.records).await
    }
}

/// gzip, as a member of its own: members one behind the other are a gzip file, too.
pub(crate) fn packed(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    // Writing into memory can't fail.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

/// The header of `input/data`.
fn header(columns: &[String]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory can't fail.
    let _ = writer.write_record(columns.iter().map(String::as_str).chain(["prediction"]));
    writer.into_inner().unwrap_or_default()
}
