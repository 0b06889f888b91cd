//! Traffic for the demo: ordinary days, days on which the world has changed, and the ground truth for both.
//!
//! Ordinary listings are holdout rows, on which no model has trained. The change of the world is made up, by pure
//! functions; the listings are real.

use super::predict::{self, Listing};
use anyhow::Result;
use drivetrain::api::Api;
use serde_json::{Value, json};

/// Instances per request: few enough that an hour has many requests.
const ROWS_PER_REQUEST: usize = 20;
/// A fuel that occurs in no listing.
pub const NEW_FUEL: &str = "hydrogen";
/// The factor by which prices have risen.
pub const DEARER_BY: f64 = 1.35;

/// What was sent: each row's id, with its listing.
pub type Sent = Vec<(String, Listing)>;

/// Listings after the change: the dearer half, a quarter of them with a new fuel, two in five without an odometer
/// reading, and all at higher prices.
pub fn shifted(mut listings: Vec<Listing>) -> Vec<Listing> {
    listings.sort_by(|one, other| other.actual.total_cmp(&one.actual));
    listings.truncate(listings.len().div_ceil(2));
    for (number, listing) in listings.iter_mut().enumerate() {
        listing.actual = (listing.actual * DEARER_BY).round();
        if number % 4 == 0 {
            listing.instance.insert("fuel".to_owned(), json!(NEW_FUEL));
        }
        if number % 5 < 2 {
            listing.instance.remove("odometer_mi");
        }
    }
    listings
}

/// Requests predictions of all listings, in several requests.
///
/// # Errors
/// The status is not 200.
pub async fn send(api: &Api, use_case: &str, listings: Vec<Listing>, moved: &dyn Fn(usize)) -> Result<Sent> {
    let mut sent = Vec::with_capacity(listings.len());
    for some in listings.chunks(ROWS_PER_REQUEST) {
        let (answer, _) = predict::ask(api, use_case, some).await?;
        let ids = answer.predictions.into_iter().map(|prediction| prediction.id);
        sent.extend(ids.zip(some.iter().cloned()));
        moved(sent.len());
    }
    Ok(sent)
}

/// A file of ground truth: row id and label.
pub fn ground_truth(sent: &Sent) -> String {
    let rows = sent.iter().map(|(id, listing)| format!("{id},{}\n", listing.actual));
    std::iter::once("id,label\n".to_owned()).chain(rows).collect()
}

/// A file to score: the document's columns with a header, a note that no model knows, and two rows that can't be
/// scored.
pub fn batch(columns: &[String], listings: &[Listing]) -> Result<Vec<u8>> {
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(columns.iter().map(String::as_str).chain(["note"]))?;
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    for listing in listings {
        let fields = columns.iter().map(|column| text(listing.instance.get(column)));
        file.write_record(fields.chain(["from the \"holdout\",\nas it is".to_owned()]))?;
    }
    // Neither has a year, without which a row can't be scored.
    for note in ["no year", "neither"] {
        let fields = columns.iter().map(|column| match column.as_str() {
            "year" => String::new(),
            _ => text(listings.first().and_then(|listing| listing.instance.get(column))),
        });
        file.write_record(fields.chain([note.to_owned()]))?;
    }
    Ok(file.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn listing(price: f64) -> Listing {
        let instance = json!({"year": 2015, "fuel": "gas", "odometer_mi": 60_000});
        let instance: Map<String, Value> = serde_json::from_value(instance).unwrap();
        Listing {
            instance,
            actual: price,
        }
    }

    #[test]
    fn the_change_is_the_one_that_is_told() {
        let shifted = shifted((1..=40).map(|price| listing(f64::from(price) * 1_000.0)).collect());
        assert_eq!(shifted.len(), 20);
        assert!(shifted.iter().all(|it| it.actual >= (21_000.0 * DEARER_BY).round()));
        let new = shifted.iter().filter(|it| it.instance["fuel"] == NEW_FUEL).count();
        let without = shifted.iter().filter(|it| !it.instance.contains_key("odometer_mi"));
        assert_eq!((new, without.count()), (5, 8));
    }

    #[test]
    fn a_batch_has_a_row_a_listing_and_two_that_are_bad() {
        let columns = ["year", "fuel", "drive"].map(str::to_owned);
        let file = batch(&columns, &[listing(1.0)]).unwrap();
        let rows: Vec<csv::StringRecord> = csv::Reader::from_reader(&file[..])
            .records()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].iter().take(3).collect::<Vec<_>>(), ["2015", "gas", ""]);
        assert_eq!(&rows[1][0], "");
    }

    #[test]
    fn ground_truth_names_rows() {
        let sent = vec![("a#0".to_owned(), listing(12.0))];
        assert_eq!(ground_truth(&sent), "id,label\na#0,12\n");
    }
}
