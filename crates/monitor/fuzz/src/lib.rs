//! Common parts of the targets: files in memory, and properties of every profile.

use monitor::documents::Statistics;
use monitor::documents::statistics::Detail;
use monitor::profile::{Oddity, Profile};
use monitor::read::{self, Format, Options, Source};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Separates the files in an input of several (ASCII's file separator).
pub const SEPARATOR: u8 = 0x1c;

/// A folder for this process alone, in memory if possible.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = parent.join(format!("monitor-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// The parts of an input.
pub fn parts(data: &[u8]) -> Vec<&[u8]> {
    data.split(|it| *it == SEPARATOR).collect()
}

/// Writes the files `0`, `1` and so on, and removes all others. Returns their folder.
pub fn write(files: &[&[u8]]) -> &'static Path {
    let folder = folder();
    for (at, content) in files.iter().enumerate() {
        std::fs::write(folder.join(at.to_string()), content).unwrap();
    }
    let mut more = files.len();
    while std::fs::remove_file(folder.join(more.to_string())).is_ok() {
        more += 1;
    }
    folder
}

/// How a text is read.
#[derive(Clone, Copy, Default)]
pub struct How<'a> {
    /// Number of threads.
    pub threads: usize,
    /// Size of a block in bytes.
    pub block: Option<usize>,
    /// Name of the column whose values form segments.
    pub segment: Option<&'a str>,
}

/// Reads the files written by [`write`].
pub fn profile(format: &Format, how: How<'_>) -> Result<Profile, String> {
    let source = Source {
        path: folder().to_owned(),
        format: format.clone(),
    };
    let options = Options {
        threads: NonZero::new(how.threads),
        block: how.block.and_then(NonZero::new),
        segment: how.segment.map(str::to_owned),
        ..Options::default()
    };
    read::profile(&source, &options).map_err(|error| error.to_string())
}

/// The complete content of a profile as text; NaN is equal to itself here.
pub fn written(profile: &Profile) -> String {
    serde_json::to_string(profile).unwrap()
}

/// Checks the properties of every profile, whatever its data.
pub fn check(profile: &Profile) {
    for column in &profile.columns {
        assert_eq!(column.present + column.missing, profile.rows, "`{}`", column.name);
    }
    for (column, facts) in profile.columns.iter().zip(profile.facts()) {
        let types = facts.types;
        assert_eq!(
            types.integral + types.fractional + types.boolean + types.text,
            column.present,
            "`{}`",
            column.name
        );
    }
    let statistics = profile.statistics();
    let text = statistics.to_text();
    let again = Statistics::parse(&text, "statistics.json").unwrap();
    assert_eq!(again.to_text(), text);

    let mut saved = Vec::new();
    profile.save(&mut saved).unwrap();
    let loaded = Profile::load(&*saved).unwrap();
    assert_eq!(written(&loaded), written(profile));

    if let Some(segments) = &profile.segments {
        let mut rows = segments.rows_beyond;
        for segment in segments.profiles.values() {
            assert!(segment.segments.is_none());
            check(segment);
            rows += segment.rows;
        }
        assert!(rows <= profile.rows);
    }
}

/// Checks that the same data in other blocks gives the same results, as far as they don't depend on the blocks.
pub fn same_but_for_blocks(one: &Profile, other: &Profile) {
    assert_eq!(one.rows, other.rows);
    let notes = |it: &Profile| -> Vec<_> {
        let notes = it.notes.iter().filter(|(it, ..)| *it != Oddity::WideInteger);
        notes.map(|(it, count, _)| (it, count)).collect()
    };
    assert_eq!(notes(one), notes(other));
    let wide = |it: &Profile| it.notes.iter().any(|(it, ..)| it == Oddity::WideInteger);
    // Whether an integer beyond 64 bits is in the figures depends on whether its block has had fractions.
    let wide = wide(one) || wide(other);
    let (one, other) = (one.statistics().features, other.statistics().features);
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(&other) {
        assert_eq!(
            (&a.name, a.present, a.missing, a.inferred_type),
            (&b.name, b.present, b.missing, b.inferred_type)
        );
        match (&a.detail, &b.detail) {
            (Detail::Text(a), Detail::Text(b)) => {
                assert_eq!(a.distinct_count, b.distinct_count);
                // Around the limit, it matters when the estimate is computed.
                if a.distinct_count < 90 {
                    assert_eq!(a.categories, b.categories);
                }
            }
            (Detail::Numeric(a), Detail::Numeric(b)) => {
                // A numeric column may have no number in its figures, because `- 3` also looks like one. Then both are
                // NaN.
                let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
                assert!(wide || (same(a.min, b.min) && same(a.max, b.max)));
            }
            // All values may be beyond 64 bits.
            (a, b) => assert!(wide, "{a:?} {b:?}"),
        }
    }
}
