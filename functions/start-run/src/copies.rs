//! The copies of what a run works on, and their names: jobs read them, and no later versions.

use crate::check::Refusal;
use crate::claims::{inputs, places};
use crate::{Error, StartRun};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::TaggingDirective;
use contracts::Manifest;
use contracts::places;
use contracts::run::ObjectVersion;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::BTreeMap;

/// So many calls of S3 are under way at once.
pub(crate) const AT_ONCE: usize = 16;

/// A copy's name may have so many bytes: file systems take 255, and numbers and endings are added.
const NAME_LIMIT_BYTES: usize = 180;
/// What a file of rows may be called; others get `.csv`. What a file is, its content says.
const ENDINGS: [&str; 4] = [".csv", ".tsv", ".txt", ".parquet"];
const COMPRESSED: [&str; 3] = [".gz", ".zst", ".zstd"];
/// The folder of what the platform has written itself, in its own form whatever the document's `input` says:
/// `LABELLED` in processing/cleaning.py.
const LABELLED: &str = "labelled/";

impl StartRun {
    /// Copies the versions that the run works on, side by side; what a call that died has copied is not copied again.
    pub(crate) async fn copy(&self, manifest: &Manifest) -> Result<Result<(), Refusal>, Error> {
        let objects = inputs(manifest);
        let folder = places(manifest).input();
        let there: BTreeMap<String, u64> = match objects.len() {
            1 => BTreeMap::new(),
            _ => {
                let copies = self.documents.listed(&folder, None).await?.into_iter();
                copies.map(|copy| (copy.key, copy.bytes)).collect()
            }
        };
        let several = objects.len() > 1;
        let copies = objects.into_iter().enumerate().map(|(number, object)| {
            // Files of several folders may have one name.
            let target = folder.clone() + &name(&object.key, several.then_some(number));
            (object, target)
        });
        // The manifest says which version each is of, and a copy is there whole or not at all.
        let missing: Vec<_> = copies
            .filter(|(object, target)| there.get(target) != Some(&object.bytes))
            .collect();
        let results = stream::iter(missing.iter().map(|(object, target)| self.copy_one(object, target)));
        let results: Vec<Result<(), Refusal>> = results.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(results.into_iter().collect())
    }

    async fn copy_one(&self, object: &ObjectVersion, target: &str) -> Result<Result<(), Refusal>, Error> {
        let ObjectVersion {
            bucket,
            key,
            version_id,
            ..
        } = object;
        let source = format!(
            "{}?versionId={}",
            percent_encode(&format!("{bucket}/{key}")),
            percent_encode(version_id)
        );
        let request = self.documents.client().copy_object().copy_source(source);
        let request = request.bucket(bucket).key(target);
        // Tags are left behind: to read them takes a permission of its own.
        match request.tagging_directive(TaggingDirective::Replace).send().await {
            Ok(_) => Ok(Ok(())),
            Err(error) if is_gone(error.code()) => Ok(Err(vanished(version_id))),
            Err(error) => {
                let call = format!("CopyObject {}", places::uri(bucket, key));
                Err(platform::Error::aws_call(call, &error).into())
            }
        }
    }
}

/// Whether a call failed since its object version is not there any more.
pub(crate) fn is_gone(code: Option<&str>) -> bool {
    matches!(
        code,
        Some("NoSuchKey" | "NoSuchVersion" | "NotFound" | "MethodNotAllowed")
    )
}

pub(crate) fn vanished(version_id: &str) -> Refusal {
    Refusal::new(
        format!("was deleted before it could be copied (version {version_id})"),
        "Drop the file again.",
    )
}

/// Where below `input/` the copy of `key` lies; `number` tells several of a run apart.
fn name(key: &str, number: Option<usize>) -> String {
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

/// S3 wants the source of a copy encoded, its slashes excepted; the SDK leaves that to the caller.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
            encoded
        })
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
    fn copy_sources_are_encoded() {
        assert_eq!(percent_encode("b/a b+é?.csv"), "b/a%20b%2B%C3%A9%3F.csv");
    }

    #[test]
    fn labelled_rows_lie_apart() {
        assert_eq!(name("cars/labelled/m/rows.csv", Some(2)), "labelled/002-rows.csv");
    }
}
