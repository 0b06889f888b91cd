//! A file as text, decompressed and decoded while it is read.

use contracts::use_case::Encoding;
use files::TextStream;
use std::io::{Error, ErrorKind, Read, Result};

/// How much of a file is read at once.
const PIECE_BYTES: usize = 1 << 16;

/// Opens a file anew: it is looked at more than once.
pub type Open<'a> = &'a dyn Fn() -> Result<Box<dyn Read>>;

/// The text of a file.
pub(super) struct Text {
    source: Box<dyn Read>,
    stream: TextStream,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Text {
    pub fn new(source: Box<dyn Read>, encoding: Encoding) -> Self {
        Self {
            source,
            stream: TextStream::new(encoding, u64::MAX),
            ready: Vec::new(),
            at: 0,
            ended: false,
        }
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.at == self.ready.len() && !self.ended {
            let piece = piece(&mut self.source, PIECE_BYTES)?;
            self.ended = piece.len() < PIECE_BYTES;
            let text = self.stream.text(&piece, self.ended);
            self.ready = text.map_err(|broken| Error::new(ErrorKind::InvalidData, broken.to_string()))?;
            self.at = 0;
        }
        let count = buffer.len().min(self.ready.len() - self.at);
        buffer[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// The next `most` bytes; fewer at the end alone.
pub(super) fn piece(source: &mut dyn Read, most: usize) -> Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(most);
    source.take(most as u64).read_to_end(&mut piece)?;
    Ok(piece)
}
