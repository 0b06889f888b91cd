//! A use-case document from a file of rows: what `drivetrain init` writes. Pure, but for reading the file that it is given.
//!
//! `dialect` tells how the file is written, `profile` counts what its columns hold, `target` and `columns` decide, `plan`
//! puts the decisions together with `baseline`'s errors, and `write` makes the commented YAML of them. Values are read as
//! Preprocess reads them (crates/files, processing/README.md), so that what is written here trains there.

mod baseline;
mod columns;
mod dates;
mod dialect;
mod id;
mod measures;
mod numbers;
mod plan;
mod profile;
mod proposal;
mod target;
mod text;
mod write;

use crate::document;
use anyhow::{Result, anyhow, bail};
use contracts::use_case::Input;
use profile::{Profile, Unread};

pub use proposal::{Decided, Proposal, Reached};
pub use text::Open;

/// What people ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// The column to predict.
    pub target: Option<&'a str>,
    /// The use case's id.
    pub id: Option<&'a str>,
}

/// Makes a document for the file called `name`. `progress` hears of the rows read so far.
///
/// # Errors
/// The file is no table that a use case can learn from: the text says what is wrong with it and what to do.
pub fn propose(name: &str, open: Open<'_>, wishes: Wishes<'_>, progress: &mut dyn FnMut(u64)) -> Result<Proposal> {
    let of_file = |error: anyhow::Error| anyhow!("{name} {error:#}");
    let (mut input, mut profile) = read(open, progress).map_err(of_file)?;
    plan::missing_words(&mut input, &mut profile);
    let target = target::choose(&profile, wishes.target).map_err(of_file)?;
    let id = id::of(wishes.id, name, &profile.names[target.at])?;
    let plan = plan::make(name, id, input, &profile, target).map_err(of_file)?;
    let document = write::document(&plan);
    if let Err(mistakes) = document::parse("the document", &document) {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        bail!(
            "{name}: `init` has made a document that is unsound, which is a mistake of its own; report it with these lines:\n{}",
            lines.join("\n")
        );
    }
    Ok(plan.proposal(document))
}

/// How the file is written, and its columns.
fn read(open: Open<'_>, progress: &mut dyn FnMut(u64)) -> Result<(Input, Profile)> {
    let unreadable = |error: std::io::Error| anyhow!("can't be read: {error}");
    let mut source = open().map_err(unreadable)?;
    // Compressed text may begin behind more bytes than it has itself.
    let head = text::piece(&mut source, dialect::HEAD_BYTES).map_err(unreadable)?;
    let mut input = dialect::recognise(&head, None)?;
    // Letters that only one encoding has may come late.
    for last_try in [false, true] {
        match profile::profile(open, &input, progress) {
            Ok(profile) => return Ok((input, profile)),
            Err(Unread::NotUtf8(row)) if !last_try => {
                input = dialect::recognise(&head, Some(files::likely_encoding(&row)))?;
            }
            Err(Unread::NotUtf8(_)) => break,
            Err(Unread::Wrong(error)) => return Err(error),
        }
    }
    bail!("is not text in UTF-8, nor in another encoding that is read: save it in UTF-8")
}

#[cfg(test)]
mod tests;
