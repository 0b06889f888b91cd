//! Common parts of all text formats.

use super::blocks::Block;
use super::tokens::PADDING;
use crate::profile::{Notes, Oddity, Profile};
use std::path::Path;

/// Makes a block valid UTF-8: invalid bytes become U+FFFD, as in the reference's engine.
pub(super) fn repair(block: &mut Block, path: &Path, notes: &mut Notes) {
    let text = block.text.get(..block.len).unwrap_or_default();
    if text.is_ascii() || std::str::from_utf8(text).is_ok() {
        return;
    }
    let mut line = block.first_line;
    let mut repaired = Vec::with_capacity(text.len() + PADDING);
    for chunk in text.utf8_chunks() {
        repaired.extend_from_slice(chunk.valid().as_bytes());
        line += memchr::memchr_iter(b'\n', chunk.valid().as_bytes()).count() as u64;
        if let Some(first) = chunk.invalid().first() {
            notes.add(Oddity::InvalidUtf8, || {
                format!("{}:{line}: byte 0x{first:02x}", path.display())
            });
            repaired.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    block.len = repaired.len();
    repaired.resize(block.len + PADDING, 0);
    block.text = repaired;
}

/// Notes the integers in a block's profile that are in no figure.
pub(super) fn note_wide(profile: &mut Profile, block: &Block, path: &Path) {
    for column in &profile.columns {
        for _ in 0..column.wide {
            profile.notes.add(Oddity::WideInteger, || {
                format!(
                    "{}: column `{}`, at or after line {}",
                    path.display(),
                    column.name,
                    block.first_line
                )
            });
        }
    }
}
