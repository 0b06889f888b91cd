//! The merge of files into both outputs: streamed in pieces that are processed on all cores and written in order.
//!
//! The caller decides where files come from and where rows go: [`Source`] and [`Sink`]. Memory use does not grow with
//! the files: it is bounded by pieces of 2 MiB, one more than there are cores, and by what the sinks hold.

use crate::capture::{batch_rows, endpoint_lines, foreign_rows, is_batch_header};
use crate::record::{Output, Piece, Shape};
use crate::skipped::Skips;
use crate::text::whole_lines;
use bytes::Bytes;
use contracts::RunId;
use contracts::monitoring::SourceFile;
use futures::stream::FuturesOrdered;
use futures::{StreamExt as _, TryStreamExt as _};
use std::future::Future;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Approximate size of a piece in bytes; small files share one.
const PIECE_BYTES: usize = 2 << 20;
/// Maximum length of a line in bytes. A longer one is no captured request: payloads have at most 25 MB, and are a third
/// longer in BASE64.
const LINE_BYTES: usize = 96 << 20;
/// Number of files that are opened ahead of the current one.
const AHEAD: usize = 8;

/// Where capture files are read from.
pub trait Source: Sync {
    /// The error of reading.
    type Error: Send;
    /// A file that is being read.
    type Body: Body<Error = Self::Error>;

    /// Starts to read a file.
    fn open(&self, file: &SourceFile) -> impl Future<Output = Result<Self::Body, Self::Error>> + Send;
}

/// A file that is being read.
pub trait Body: Send {
    /// The error of reading.
    type Error;

    /// The next bytes; none at the end.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

/// Where rows are written.
pub trait Sink: Send {
    /// The error of writing.
    type Error;

    /// Appends bytes to what was written before.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// The result of a merge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// Number of records, one for each predicted row.
    pub records: u64,
    /// Number of those records that scoring runs have made.
    pub batch_records: u64,
    /// What was left out.
    pub skips: Skips,
    /// The scoring runs that have records.
    pub scoring_runs: Vec<RunId>,
}

/// Merges files in their order: `data` gets CSV with a header, the raw columns and `prediction`; `records` gets gzipped
/// JSON lines, [`contracts::reporting::PredictionRow`]s.
///
/// # Errors
/// The errors of the source and the sinks; the content of both sinks is incomplete then.
pub async fn merge<S: Source, D: Sink<Error = S::Error>, R: Sink<Error = S::Error>>(
    source: &S,
    shape: &Arc<Shape>,
    files: &[SourceFile],
    data: &mut D,
    records: &mut R,
) -> Result<Merged, S::Error> {
    merge_in(PIECE_BYTES, source, shape, files, data, records).await
}

async fn merge_in<S: Source, D: Sink<Error = S::Error>, R: Sink<Error = S::Error>>(
    piece_bytes: usize,
    source: &S,
    shape: &Arc<Shape>,
    files: &[SourceFile],
    data: &mut D,
    records: &mut R,
) -> Result<Merged, S::Error> {
    data.write(&shape.header()).await?;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut pipeline = Pipeline {
        shape,
        piece_bytes,
        at_once: cores + 1,
        working: FuturesOrdered::new(),
        job: Vec::new(),
        job_bytes: 0,
        data,
        records,
        merged: Merged::default(),
    };
    let mut opened = futures::stream::iter(files)
        .map(|file| async move { source.open(file).await.map(|body| (file, body)) })
        .buffered(AHEAD);
    while let Some((file, body)) = opened.try_next().await? {
        pipeline.file(file, body).await?;
    }
    pipeline.end().await
}

/// Text that is processed as one unit.
struct Segment {
    file: Arc<SourceFile>,
    kind: Kind,
    text: Vec<u8>,
    /// Number of its first line, from 1.
    first: u64,
}

#[derive(Clone)]
enum Kind {
    Endpoint,
    Batch(RunId),
    /// A batch with other columns, or of no known run.
    Foreign,
}

/// The result of processing a piece.
struct Done {
    piece: Piece,
    batch_records: u64,
    scoring_runs: Vec<RunId>,
}

/// The pieces that are on their way to both outputs.
struct Pipeline<'a, D, R> {
    shape: &'a Arc<Shape>,
    piece_bytes: usize,
    at_once: usize,
    working: FuturesOrdered<JoinHandle<Done>>,
    job: Vec<Segment>,
    job_bytes: usize,
    data: &'a mut D,
    records: &'a mut R,
    merged: Merged,
}

impl<E, D: Sink<Error = E>, R: Sink<Error = E>> Pipeline<'_, D, R> {
    async fn file(&mut self, file: &SourceFile, mut body: impl Body<Error = E>) -> Result<(), E> {
        let file = Arc::new(file.clone());
        let name = file.uri.rsplit('/').next().unwrap_or_default();
        let run = name.strip_suffix(".csv").map(RunId::parse);
        let batch = run.is_some();
        let mut header = batch;
        let mut kind = match run {
            None => Kind::Endpoint,
            Some(Some(run)) => Kind::Batch(run),
            Some(None) => Kind::Foreign,
        };
        let (mut text, mut first): (Vec<u8>, u64) = (Vec::new(), 1);
        loop {
            let chunk = body.chunk().await?;
            let ended = chunk.is_none();
            text.extend_from_slice(&chunk.unwrap_or_default());
            if !ended && text.len() < self.piece_bytes {
                continue;
            }
            let mut end = if ended { text.len() } else { whole_lines(&text, batch) };
            if end == 0 && text.len() > LINE_BYTES {
                // The line has no end in sight: it is processed as it is and reported as unreadable.
                end = text.len();
            }
            if end > 0 {
                let rest = text.split_off(end);
                let mut whole = std::mem::replace(&mut text, rest);
                if std::mem::take(&mut header) {
                    let begin = memchr::memchr(b'\n', &whole).map_or(whole.len(), |at| at + 1);
                    if !is_batch_header(self.shape, &whole[..begin]) {
                        kind = Kind::Foreign;
                    }
                    whole.drain(..begin);
                    first += 1;
                }
                let lines = memchr::memchr_iter(b'\n', &whole).count() as u64;
                let segment = Segment {
                    file: Arc::clone(&file),
                    kind: kind.clone(),
                    text: whole,
                    first,
                };
                first += lines;
                self.add(segment).await?;
            }
            if ended {
                return Ok(());
            }
        }
    }

    async fn add(&mut self, segment: Segment) -> Result<(), E> {
        self.job_bytes += segment.text.len();
        self.job.push(segment);
        if self.job_bytes >= self.piece_bytes {
            self.start().await?;
        }
        Ok(())
    }

    async fn start(&mut self) -> Result<(), E> {
        self.job_bytes = 0;
        let (job, shape) = (std::mem::take(&mut self.job), Arc::clone(self.shape));
        self.working
            .push_back(tokio::task::spawn_blocking(move || work(&shape, &job)));
        if self.working.len() >= self.at_once {
            self.take().await?;
        }
        Ok(())
    }

    /// Writes the output of the oldest piece.
    async fn take(&mut self) -> Result<(), E> {
        let Some(done) = self.working.next().await else {
            return Ok(());
        };
        let done = match done {
            Ok(done) => done,
            // The task can only fail by a panic, which is passed on.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        self.merged.records += done.piece.count;
        self.merged.batch_records += done.batch_records;
        self.merged.skips.merge(done.piece.skips);
        self.merged.scoring_runs.extend(done.scoring_runs);
        self.data.write(&done.piece.data).await?;
        self.records.write(&done.piece.records).await
    }

    async fn end(mut self) -> Result<Merged, E> {
        self.start().await?;
        while !self.working.is_empty() {
            self.take().await?;
        }
        self.merged.scoring_runs.sort();
        self.merged.scoring_runs.dedup();
        Ok(self.merged)
    }
}

fn work(shape: &Shape, job: &[Segment]) -> Done {
    let mut output = Output::new();
    let (mut batch_records, mut scoring_runs) = (0, Vec::new());
    for segment in job {
        let (file, text, first) = (segment.file.uri.as_str(), segment.text.as_slice(), segment.first);
        match &segment.kind {
            Kind::Endpoint => endpoint_lines(shape, file, text, first, &mut output),
            Kind::Foreign => foreign_rows(file, text, first, &mut output),
            Kind::Batch(run) => {
                let (before, time) = (output.count, segment.file.last_modified);
                batch_rows(shape, file, &run.to_string(), time, text, first, &mut output);
                if output.count > before {
                    batch_records += output.count - before;
                    scoring_runs.push(run.clone());
                }
            }
        }
    }
    Done {
        piece: output.finish(),
        batch_records,
        scoring_runs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::collections::BTreeMap;
    use std::convert::Infallible;
    use std::io::Read as _;

    /// Files in memory, which are read in small chunks.
    struct Memory(BTreeMap<String, Vec<u8>>, usize);

    struct Chunks(Vec<u8>, usize);

    impl Source for Memory {
        type Error = Infallible;
        type Body = Chunks;

        async fn open(&self, file: &SourceFile) -> Result<Chunks, Infallible> {
            Ok(Chunks(self.0[&file.uri].clone(), self.1))
        }
    }

    impl Body for Chunks {
        type Error = Infallible;

        async fn chunk(&mut self) -> Result<Option<Bytes>, Infallible> {
            if self.0.is_empty() {
                return Ok(None);
            }
            let rest = self.0.split_off(self.1.min(self.0.len()));
            Ok(Some(std::mem::replace(&mut self.0, rest).into()))
        }
    }

    impl Sink for Vec<u8> {
        type Error = Infallible;

        async fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
            self.extend_from_slice(bytes);
            Ok(())
        }
    }

    fn files(names: &[&str]) -> Vec<SourceFile> {
        let file = |name: &&str| SourceFile {
            uri: (*name).to_owned(),
            bytes: 0,
            last_modified: Timestamp::UNIX_EPOCH,
        };
        names.iter().map(file).collect()
    }

    async fn merged(contents: &[(&str, String)], chunk: usize) -> (Merged, String, String) {
        let names: Vec<&str> = contents.iter().map(|(name, _)| *name).collect();
        let contents = contents
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes()));
        let source = Memory(contents.collect(), chunk);
        let shape = Arc::new(Shape::new(
            "m",
            "20261120t000000z-ab12cd34",
            "c",
            vec!["a".into(), "b,b".into()],
        ));
        let (mut data, mut records) = (Vec::new(), Vec::new());
        let merged = merge_in(4096, &source, &shape, &files(&names), &mut data, &mut records)
            .await
            .unwrap();
        let mut text = String::new();
        if records.is_empty() {
            return (merged, String::from_utf8(data).unwrap(), text);
        }
        flate2::read::MultiGzDecoder::new(&records[..])
            .read_to_string(&mut text)
            .unwrap();
        (merged, String::from_utf8(data).unwrap(), text)
    }

    fn requests(numbers: std::ops::Range<u32>) -> String {
        let line = |number| {
            format!(
                r#"{{"captureData":{{"endpointInput":{{"data":"{number},x\n","encoding":"CSV"}},"endpointOutput":{{"data":"{number}\n","encoding":"CSV"}}}},"eventMetadata":{{"eventId":"e{number}","inferenceTime":"2026-11-22T18:00:00Z"}}}}"#
            ) + "\n"
        };
        numbers.map(line).collect()
    }

    /// However files of many pieces are cut, the outputs hold them one after the other, with each line once.
    #[tokio::test]
    async fn pieces_come_out_in_their_order() {
        const RUN: &str = "20261122t184500z-0a1b2c3d";
        let batch = |rows: u32| -> String {
            let rows = (0..rows).map(|row| format!("{RUN}#{row},{row},\"two\nlines\",{row}\n"));
            std::iter::once("id,a,\"b,b\",prediction\n".to_owned())
                .chain(rows)
                .collect()
        };
        let batch_name = format!("{RUN}.csv");
        let contents = [
            ("a.jsonl", requests(0..1_000)),
            (batch_name.as_str(), batch(2_000)),
            ("c.jsonl", requests(1_000..1_003) + "no end"),
            ("d.jsonl", String::new()),
        ];
        for chunk in [1_001, 1 << 20] {
            let (merged, data, records) = merged(&contents, chunk).await;
            assert_eq!((merged.records, merged.batch_records), (3_003, 2_000));
            assert_eq!(merged.scoring_runs, [RunId::parse(RUN).unwrap()]);
            let told = merged.skips.told();
            assert_eq!((told.len(), told[0].rows, told[0].first.as_str()), (1, 1, "c.jsonl:4"));
            let mut reader = csv::Reader::from_reader(data.as_bytes());
            assert_eq!(reader.headers().unwrap(), vec!["a", "b,b", "prediction"]);
            let found: Vec<u32> = reader.records().map(|row| row.unwrap()[0].parse().unwrap()).collect();
            let expected: Vec<u32> = (0..1_000).chain(0..2_000).chain(1_000..1_003).collect();
            assert!(found == expected);
            let ids = records.lines().map(|line| {
                let row: contracts::reporting::PredictionRow = serde_json::from_str(line).unwrap();
                row.id
            });
            let endpoint = |range: std::ops::Range<u32>| range.map(|number| format!("e{number}#0"));
            let batch = (0..2_000).map(|row| format!("{RUN}#{row}"));
            let expected = endpoint(0..1_000).chain(batch).chain(endpoint(1_000..1_003));
            assert!(ids.eq(expected));
        }
    }

    #[tokio::test]
    async fn a_batch_of_other_columns_is_nobodys() {
        let contents = [
            (
                "20261122t184500z-0a1b2c3d.csv",
                "id,a,prediction\nx#0,1,2\nx#1,1,2\n".to_owned(),
            ),
            ("other.csv", "id,a,\"b,b\",prediction\ny#0,1,2,3\n".to_owned()),
        ];
        let (merged, data, records) = merged(&contents, 7).await;
        assert_eq!((merged.records, merged.scoring_runs.len()), (0, 0));
        assert_eq!((data.as_str(), records.as_str()), ("a,\"b,b\",prediction\n", ""));
        let told = merged.skips.told();
        assert_eq!(
            (told[0].rows, told[0].first.as_str()),
            (3, "20261122t184500z-0a1b2c3d.csv:2")
        );
    }
}
