//! Reads blocks into one profile, on all cores.
//!
//! Each block gives a profile of its own. They are merged in the order of the blocks, so that the result does not
//! depend on the number of threads.

use super::blocks::{Block, Blocks};
use super::error::Error;
use super::options::{Options, Progress};
use crate::profile::Profile;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// How a block of one format is added to a profile.
pub(super) trait Parse: Sync {
    /// Memory that is reused for each block.
    type Scratch: Default;

    /// Adds the rows of a block.
    fn parse(&self, block: &mut Block, scratch: &mut Self::Scratch, profile: &mut Profile) -> Result<(), Error>;
}

/// Reads all blocks. `first` is the block that was read already to find the columns.
pub(super) fn run<P: Parse>(
    blocks: Blocks,
    first: Option<Block>,
    parser: &P,
    empty: &Profile,
    options: &Options<'_>,
) -> Result<Profile, Error> {
    let read = blocks.bytes_read();
    let blocks_total = blocks.total_bytes();
    let shared = Shared {
        source: Mutex::new((blocks, first)),
        merged: Mutex::new(Merged {
            next: 0,
            waiting: BTreeMap::new(),
            profile: empty.fresh(),
            spare: empty.fresh(),
        }),
        failed: AtomicBool::new(false),
    };
    let threads = options
        .threads
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    let work = || shared.work(parser);
    let progress = Progress::new(options.on_progress, blocks_total, read);
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut result = shared.work_watched(parser, &progress);
        for other in others {
            // A panic of a thread is passed on.
            let ended = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = earlier(result, ended);
        }
        result.map_err(|(_, error)| error)
    })?;
    progress.tick();
    Ok(lock(&shared.merged).profile_taken())
}

type Failure = (usize, Error);

/// The one of two failures that is earlier in the data, so that the same data always gives the same error.
fn earlier(one: Result<(), Failure>, other: Result<(), Failure>) -> Result<(), Failure> {
    match (one, other) {
        (Err(a), Err(b)) => Err(if a.0 <= b.0 { a } else { b }),
        (Err(it), Ok(())) | (Ok(()), Err(it)) => Err(it),
        (Ok(()), Ok(())) => Ok(()),
    }
}

struct Shared {
    source: Mutex<(Blocks, Option<Block>)>,
    merged: Mutex<Merged>,
    failed: AtomicBool,
}

struct Merged {
    next: usize,
    waiting: BTreeMap<usize, Profile>,
    profile: Profile,
    /// A profile without rows that doesn't keep what `profile` has stopped keeping, so that blocks don't start it
    /// again.
    spare: Profile,
}

impl Merged {
    fn profile_taken(&mut self) -> Profile {
        std::mem::take(&mut self.profile)
    }
}

/// If a thread panicked while it held a lock, the panic is passed on when it is joined.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn work<P: Parse>(&self, parser: &P) -> Result<(), Failure> {
        self.work_watched(parser, &Progress::default())
    }

    fn work_watched<P: Parse>(&self, parser: &P, progress: &Progress<'_>) -> Result<(), Failure> {
        let mut block = Block::default();
        let mut scratch = P::Scratch::default();
        while !self.failed.load(Ordering::Relaxed) {
            progress.tick();
            let next = {
                let mut source = lock(&self.source);
                match source.1.take() {
                    Some(first) => Ok(Some(first)),
                    None => source.0.next(std::mem::take(&mut block)),
                }
            };
            let Some(mut read) = next.map_err(|error| self.fail(usize::MAX, error))? else {
                break;
            };
            let mut profile = lock(&self.merged).spare.clone();
            parser
                .parse(&mut read, &mut scratch, &mut profile)
                .map_err(|error| self.fail(read.index, error))?;
            self.merge(read.index, profile);
            block = read;
        }
        Ok(())
    }

    fn fail(&self, index: usize, error: Error) -> Failure {
        self.failed.store(true, Ordering::Relaxed);
        (index, error)
    }

    fn merge(&self, index: usize, profile: Profile) {
        let mut merged = lock(&self.merged);
        merged.waiting.insert(index, profile);
        while let Some(profile) = {
            let next = merged.next;
            merged.waiting.remove(&next)
        } {
            if merged.next == 0 {
                merged.profile = profile;
            } else {
                merged.profile.merge(&profile);
            }
            merged.next += 1;
            merged.spare = merged.profile.fresh();
        }
    }
}
