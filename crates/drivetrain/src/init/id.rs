//! A use case's id from a file's name.

use super::columns::name_words;
use anyhow::{Result, bail};
use contracts::names::{MAX_ID, RESERVED, is_id};

const ENDINGS: [&str; 8] = [".gz", ".gzip", ".zst", ".zstd", ".csv", ".tsv", ".txt", ".parquet"];

/// `wanted`, or an id made of the name of the file.
///
/// # Errors
/// What is wanted is no id.
pub(super) fn of(wanted: Option<&str>, file: &str, target: &str) -> Result<String> {
    if let Some(id) = wanted {
        if id.is_empty() || id.len() > MAX_ID || !is_id(id) {
            let meant = fit(id);
            bail!(
                "`{id}` is no id of a use case: 1 to {MAX_ID} lower-case letters, digits and single hyphens, beginning with a \
                 letter, as `{meant}`"
            );
        }
        if RESERVED.contains(&id) {
            bail!(
                "`{id}` is reserved: the platform gives it a meaning of its own. Say what is predicted, as `{id}-price`"
            );
        }
        return Ok(id.to_owned());
    }
    let mut stem = file.to_ascii_lowercase();
    while let Some(end) = ENDINGS
        .iter()
        .find(|end| stem.ends_with(*end) && stem.len() > end.len())
    {
        stem.truncate(stem.len() - end.len());
    }
    let id = fit(&stem);
    if RESERVED.contains(&id.as_str()) {
        let longer = fit(&format!("{id}-{}", name_words(target).join("-")));
        // A name of other letters than those of ids leaves nothing of itself.
        return Ok(if longer == id { format!("{id}-use-case") } else { longer });
    }
    Ok(id)
}

/// The nearest id.
fn fit(text: &str) -> String {
    let mut id = String::new();
    for letter in text.chars().map(|it| it.to_ascii_lowercase()) {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            id.push(letter);
        } else if !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_matches('-');
    let id = if id.starts_with(|it: char| it.is_ascii_lowercase()) {
        id.to_owned()
    } else {
        format!("rows-{id}")
    };
    id[..id.len().min(MAX_ID)].trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_come_from_names() {
        for (file, id) in [
            ("Used Cars (2024).csv.gz", "used-cars-2024"),
            ("2024_sales.csv", "rows-2024-sales"),
            ("models.csv", "models-price-usd"),
            ("żółw.csv", "w"),
            ("ż.csv", "rows"),
            (".csv", "csv"),
        ] {
            assert_eq!(of(None, file, "price_USD").unwrap(), id, "{file}");
        }
        assert_eq!(of(Some("cars"), "x.csv", "y").unwrap(), "cars");
        assert!(
            of(Some("My Cars"), "x.csv", "y")
                .unwrap_err()
                .to_string()
                .contains("as `my-cars`")
        );
        assert!(
            of(Some("all"), "x.csv", "y")
                .unwrap_err()
                .to_string()
                .contains("reserved")
        );
    }

    proptest! {
        #[test]
        fn every_name_has_an_id(file in any::<String>(), target in any::<String>()) {
            let id = of(None, &file, &target).unwrap();
            prop_assert!(is_id(&id) && id.len() <= MAX_ID && !RESERVED.contains(&id.as_str()), "{id}");
        }
    }
}
