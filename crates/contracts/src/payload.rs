//! How many rows a pipeline gets in one request.
//!
//! The transformer of a pipeline makes rows wider: a category becomes one field for each known word. Containers limit
//! the size of what the transformer passes to the algorithm, and a request can't tell how wide its rows will become.
//! Therefore, whoever sends rows to a model bounds their number by the largest size that one row can become, which is
//! known once the transformer has been fitted.

use serde::{Deserialize, Serialize};

/// The most features that a model may have; `preprocess.py` refuses more.
pub const MAX_FEATURES: u64 = 2_000;

/// Request size in bytes that every container of a pipeline accepts. Those of AWS accept 6,291,456 bytes: Linear
/// Learner always, XGBoost by default.
pub const MAX_REQUEST_BYTES: u64 = 6_000_000;

/// The largest size of a transformed row in bytes: every feature is a number of 24 characters and a comma.
pub const MAX_ROW_BYTES: u64 = MAX_FEATURES * 25;

/// The smallest size in bytes that a row counts as: an answer on its way to the normaliser is longer than a narrow row.
const MIN_ROW_BYTES: u64 = 64;

/// The largest number of rows for one request to models whose transformed rows have at most these sizes in bytes. A
/// model of unknown size counts as the widest possible, [`MAX_ROW_BYTES`].
pub fn rows_per_request(row_bytes: impl IntoIterator<Item = Option<u64>>) -> u64 {
    let widest = row_bytes.into_iter().map(|bytes| bytes.unwrap_or(MAX_ROW_BYTES)).max();
    let widest = widest.unwrap_or(MAX_ROW_BYTES).max(MIN_ROW_BYTES);
    (MAX_REQUEST_BYTES / widest).max(1)
}

/// The part of a training run's `summary.json` about the width of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowWidth {
    /// Size of a row in bytes.
    #[serde(default)]
    pub bytes_per_row: BytesPerRow,
}

/// Size of a row in bytes, as far as senders need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BytesPerRow {
    /// Largest size of a row once transformed; absent in runs from before it was counted.
    #[serde(default)]
    pub encoded_max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_counted_by_the_widest_model() {
        for (row_bytes, rows) in [
            (vec![Some(1_200)], 5_000),
            (vec![Some(1_200), Some(4_000)], 1_500),
            (vec![Some(1_200), None], 120),
            (vec![], 120),
            (vec![Some(2)], 93_750),
            (vec![Some(0)], 93_750),
            (vec![Some(u64::MAX)], 1),
        ] {
            assert_eq!(rows_per_request(row_bytes.clone()), rows, "{row_bytes:?}");
        }
    }

    #[test]
    fn a_summary_of_earlier_days_does_not_say() {
        for (text, expected) in [
            (r#"{"rows": {"train": 5}}"#, None),
            (r#"{"bytes_per_row": {"raw": 20.5, "encoded": 44.25}}"#, None),
            (
                r#"{"bytes_per_row": {"raw": 20.5, "encoded": 44.25, "encoded_max": 76}}"#,
                Some(76),
            ),
        ] {
            let width: RowWidth = serde_json::from_str(text).unwrap();
            assert_eq!(width.bytes_per_row.encoded_max, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_request_outgrows_a_container(row_bytes in proptest::collection::vec(1..=MAX_ROW_BYTES, 1..4)) {
            let rows = rows_per_request(row_bytes.iter().copied().map(Some));
            prop_assert!(rows >= 120);
            prop_assert!(row_bytes.iter().all(|bytes| rows * bytes <= MAX_REQUEST_BYTES));
        }
    }
}
