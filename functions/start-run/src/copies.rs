//! The names that copies of dropped files get in a run's folder.

/// A copy's name may have so many bytes: file systems take 255, and numbers and endings are added.
const NAME_LIMIT_BYTES: usize = 180;
/// What a file of rows may be called; others get `.csv`. What a file is, its content says.
const ENDINGS: [&str; 4] = [".csv", ".tsv", ".txt", ".parquet"];
const COMPRESSED: [&str; 3] = [".gz", ".zst", ".zstd"];
/// The folder of what the platform has written itself, in its own form whatever the document's `input` says:
/// `LABELLED` in processing/cleaning.py.
const LABELLED: &str = "labelled/";

/// Where below `input/` the copy of `key` lies; `number` tells several of a run apart.
pub(crate) fn name(key: &str, number: Option<usize>) -> String {
    let folder = if key.contains("/labelled/") { LABELLED } else { "" };
    let number = number.map(|number| format!("{number:03}-")).unwrap_or_default();
    format!("{folder}{number}{}", plain(key.rsplit('/').next().unwrap_or(key)))
}

/// A name with an ending that a container knows, and short enough for its file system.
fn plain(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let packed = COMPRESSED
        .into_iter()
        .find(|ending| lower.ends_with(ending))
        .unwrap_or_default();
    let inner = &lower[..lower.len() - packed.len()];
    let known = ENDINGS.into_iter().find(|ending| inner.ends_with(ending));
    let ending = name.len() - packed.len() - known.map_or(0, str::len);
    // Endings are ASCII, and so are their places in the name.
    let (stem, rest) = name.split_at(ending);
    let rest = match (known, packed) {
        (None, "") => ".csv",
        _ => rest,
    };
    let cut = stem
        .char_indices()
        .map(|(at, it)| at + it.len_utf8())
        .take_while(|end| *end <= NAME_LIMIT_BYTES);
    let stem = &stem[..cut.last().unwrap_or_default()];
    format!("{}{rest}", if stem.is_empty() { "data" } else { stem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_keep_their_names_as_far_as_containers_take_them() {
        for (key, copy) in [
            ("cars/training/incoming/2026/Listings.CSV", "Listings.CSV"),
            ("cars/training/incoming/listings", "listings.csv"),
            ("cars/training/incoming/listings.v2", "listings.v2.csv"),
            ("cars/training/incoming/a.csv.gz", "a.csv.gz"),
            ("cars/training/incoming/a.gz", "a.gz"),
            ("cars/training/incoming/a.tsv.zst", "a.tsv.zst"),
            ("cars/training/incoming/a.parquet", "a.parquet"),
            ("cars/training/incoming/.csv", "data.csv"),
            ("cars/training/incoming/.gz", "data.gz"),
            ("cars/training/incoming/.CSV.GZ", "data.CSV.GZ"),
            ("cars/training/incoming/żółw", "żółw.csv"),
        ] {
            assert_eq!(name(key, None), copy);
        }
        assert_eq!(name("a/b.csv", Some(7)), "007-b.csv");
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let long = name(&format!("a/{}.csv.gz", "ż".repeat(400)), Some(1));
        assert_eq!(long, format!("001-{}.csv.gz", "ż".repeat(NAME_LIMIT_BYTES / 2)));
        assert!(long.len() < 255);
    }

    #[test]
    fn labelled_rows_lie_apart() {
        assert_eq!(name("cars/labelled/m/rows.csv", Some(2)), "labelled/002-rows.csv");
    }
}
