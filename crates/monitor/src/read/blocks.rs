//! Splits files into blocks of whole records, in order. It reads and decompresses, but doesn't parse records.

use super::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Size of a block in bytes. It is the size of a partition in the reference's engine: a file that is one partition
/// there is one block here, and its figures agree to the last digit.
pub const BLOCK: usize = 4 << 20;
/// Maximum size of a record in bytes, so that an unclosed quote doesn't take in the rest of the file.
const LONGEST_RECORD: usize = 64 << 20;

/// How records are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Each line is a record.
    Lines,
    /// Records of CSV: newlines within quotes do not end a record.
    Csv {
        /// Character between fields.
        delimiter: u8,
    },
}

/// Whole records of one file.
#[derive(Debug, Default)]
pub struct Block {
    /// Index of the block, from 0 over all files.
    pub index: usize,
    /// Index of the file.
    pub file: usize,
    /// Line number of the block's first line, from 1.
    pub first_line: u64,
    /// Whether it is the first block of the file.
    pub begins_file: bool,
    /// Whether the text contains a quote.
    pub quotes: bool,
    /// The records, each ended by a newline, followed by [`super::tokens::PADDING`] zeros.
    pub text: Vec<u8>,
    /// Length of the records in bytes.
    pub len: usize,
}

/// Reads files one after the other.
pub struct Blocks {
    files: Vec<PathBuf>,
    records: Records,
    size: usize,
    next_file: usize,
    open: Option<Open>,
    index: usize,
    /// Number of bytes of the files read so far, before decompression.
    read: Arc<AtomicU64>,
}

struct Open {
    reader: Box<dyn Read + Send>,
    /// Bytes that were read but are not yet part of a block: the beginning of a record.
    rest: Vec<u8>,
    line: u64,
    begins_file: bool,
    ended: bool,
}

impl Blocks {
    /// The blocks of these files, in this order.
    pub fn new(files: Vec<PathBuf>, records: Records) -> Self {
        Self {
            files,
            records,
            size: BLOCK,
            next_file: 0,
            open: None,
            index: 0,
            read: Arc::default(),
        }
    }

    /// Sets the size of blocks in bytes.
    pub fn of(self, size: Option<NonZero<usize>>) -> Self {
        let size = size.map_or(BLOCK, NonZero::get);
        Self { size, ..self }
    }

    /// Number of bytes of the files read so far, before decompression, for showing progress.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        self.read.clone()
    }

    /// Number of bytes of all files, before decompression.
    pub fn total_bytes(&self) -> u64 {
        super::files::total_bytes(&self.files)
    }

    /// The next block, in the memory of a used one. `None` at the end.
    ///
    /// # Errors
    /// A file can't be read or decompressed, or a record does not end.
    pub fn next(&mut self, mut block: Block) -> Result<Option<Block>, Error> {
        loop {
            if self.open.is_none() {
                let Some(path) = self.files.get(self.next_file) else {
                    return Ok(None);
                };
                self.open = Some(Open {
                    reader: open(path, self.read.clone()).map_err(|error| Error::file(path, &error))?,
                    rest: Vec::new(),
                    line: 1,
                    begins_file: true,
                    ended: false,
                });
                self.next_file += 1;
            }
            let (Some(file), Some(path)) = (&mut self.open, self.files.get(self.next_file - 1)) else {
                return Ok(None);
            };
            if !file.fill(&mut block, self.records, self.size, path)? {
                self.open = None;
                continue;
            }
            block.index = self.index;
            block.file = self.next_file - 1;
            self.index += 1;
            return Ok(Some(block));
        }
    }
}

impl Open {
    /// Returns false at the end of the file.
    fn fill(&mut self, block: &mut Block, records: Records, size: usize, path: &Path) -> Result<bool, Error> {
        let text = &mut block.text;
        text.clear();
        text.append(&mut self.rest);
        let mut cut = Cut::new(records);
        let mut target = size;
        let mut may_be_marked = self.begins_file;
        loop {
            while text.len() < target && !self.ended {
                let missing = (target - text.len()) as u64;
                let count = (&mut self.reader)
                    .take(missing)
                    .read_to_end(text)
                    .map_err(|error| Error::file(path, &error))?;
                self.ended = count == 0 || (count as u64) < missing;
            }
            // Only once: positions in the text are remembered while it grows.
            if std::mem::take(&mut may_be_marked) && text.starts_with(b"\xef\xbb\xbf") {
                text.drain(..3);
            }
            if self.ended && !text.is_empty() && text.last() != Some(&b'\n') {
                text.push(b'\n');
            }
            if text.is_empty() {
                return Ok(false);
            }
            let end = cut.end(text);
            // The first block must contain the file's first record, which gives the columns.
            let blank = |end| text.get(..end).is_some_and(|it| it.iter().all(|byte| *byte <= b' '));
            match end {
                Some(end) if self.begins_file && !self.ended && blank(end) => target = (target * 2).max(text.len() + 1),
                Some(end) if !self.ended || end == text.len() => {
                    self.rest.extend_from_slice(text.get(end..).unwrap_or_default());
                    text.truncate(end);
                    break;
                }
                _ if self.ended || text.len() >= LONGEST_RECORD => {
                    let before = text.get(..cut.opened_at).unwrap_or_default();
                    let line = self.line + memchr::memchr_iter(b'\n', before).count() as u64;
                    return Err(Error::record(path, line, text.len(), records != Records::Lines));
                }
                _ => target = (target * 2).max(text.len() + 1),
            }
        }
        block.begins_file = self.begins_file;
        block.first_line = self.line;
        block.quotes = cut.quotes;
        block.len = text.len();
        self.line += memchr::memchr_iter(b'\n', text).count() as u64;
        self.begins_file = false;
        text.resize(block.len + super::tokens::PADDING, 0);
        Ok(true)
    }
}

/// Finds the end of the last whole record of a text. The text begins with a record, and may grow between calls.
struct Cut {
    records: Records,
    quotes: bool,
    in_quotes: bool,
    /// Number of bytes that were searched so far.
    seen: usize,
    opened_at: usize,
    closed_at: Option<usize>,
    /// End of the last record before a field in quotes, since newlines within the quotes end no record.
    ended_at: Option<usize>,
}

impl Cut {
    fn new(records: Records) -> Self {
        Self {
            records,
            quotes: false,
            in_quotes: false,
            seen: 0,
            opened_at: 0,
            closed_at: None,
            ended_at: None,
        }
    }

    fn end(&mut self, text: &[u8]) -> Option<usize> {
        let Records::Csv { delimiter } = self.records else {
            return memchr::memrchr(b'\n', text).map(|at| at + 1);
        };
        while let Some(at) = memchr::memchr(b'"', text.get(self.seen..)?).map(|at| at + self.seen) {
            self.quotes = true;
            self.seen = at + 1;
            if self.in_quotes {
                self.in_quotes = false;
                self.closed_at = Some(at);
                continue;
            }
            let begins_field = match at.checked_sub(1).and_then(|before| text.get(before)) {
                Some(&before) => before == delimiter || before == b'\n',
                None => true,
            };
            if begins_field || self.closed_at.is_some_and(|closed| closed + 1 == at) {
                self.ended_at = self.end_before(text, at);
                self.in_quotes = true;
                if begins_field {
                    self.opened_at = at;
                }
            }
        }
        self.seen = text.len();
        if self.in_quotes {
            self.ended_at
        } else {
            self.end_before(text, text.len())
        }
    }

    /// End of the last record before a position that is outside of quotes.
    fn end_before(&self, text: &[u8], until: usize) -> Option<usize> {
        let from = self.closed_at.map_or(0, |closed| closed + 1);
        let end = memchr::memrchr(b'\n', text.get(from..until)?).map(|at| from + at + 1);
        end.or(self.ended_at)
    }
}

/// A whole file, decompressed.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    open(path, Arc::default())
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|error| Error::file(path, &error))?;
    Ok(bytes)
}

/// Opens a file, with decompression if its first bytes ask for it.
pub(super) fn open(path: &Path, read: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let mut count = 0;
    while count < magic.len() {
        match file.read(magic.get_mut(count..).unwrap_or_default())? {
            0 => break,
            more => count += more,
        }
    }
    let head = io::Cursor::new(magic.get(..count).unwrap_or_default().to_vec());
    let whole = Counted {
        inner: head.chain(file),
        read,
    };
    let buffered = |inner| io::BufReader::with_capacity(256 << 10, inner);
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(buffered(whole))),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::with_buffer(buffered(whole))?),
        _ => Box::new(whole),
    })
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
