//! Reads the scores of a holdout as a stream: their RMSE, a sample of their labels, and a fingerprint of the rows that
//! they are for.
//!
//! A row is `row_id,label,prediction`. The caller is given each row's squared error and decides what to keep of it: see
//! [`crate::pairs`]. The rows may come in any order. No I/O here.
//!
//! Copies of a row are no evidence of their own: they get the same answer, and have the same error. The RMSE is over
//! all rows; everything that asks how much the rows prove is based on the different ones.

use crate::labels::Labels;
use sha2::{Digest, Sha256};

/// Longer lines are not scores; without a limit, a file without line breaks would be held in memory.
const LINE_LIMIT_BYTES: usize = 4_096;

/// A row's squared error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowError {
    /// A 64-bit hash of the row's id and label: the same for the same row. The probability that any two of ten million
    /// rows share it is one in 300,000.
    pub row: u64,
    /// The squared error, in the square of the target's unit.
    pub square: f64,
}

/// What has been read of the scores so far.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    rows: u64,
    squares: Sum,
    distinct_rows: u64,
    distinct_squares: Sum,
    fingerprint: u128,
    labels: Labels,
    /// The beginning of a line whose end is in the next chunk.
    partial: Vec<u8>,
}

impl Scores {
    /// Reads the next bytes of an object, split anywhere. `each` is called for every row that is not a copy of another.
    ///
    /// # Errors
    /// What is wrong with the first row that can't be read.
    pub fn read(&mut self, chunk: &[u8], each: &mut impl FnMut(RowError)) -> Result<(), String> {
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            if self.partial.is_empty() {
                self.row(&rest[..end], each)?;
            } else {
                self.partial.extend_from_slice(&rest[..end]);
                let line = std::mem::take(&mut self.partial);
                self.row(&line, each)?;
            }
            rest = &rest[end + 1..];
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > LINE_LIMIT_BYTES {
            return Err(self.about_row(&format!("is longer than {LINE_LIMIT_BYTES} bytes")));
        }
        Ok(())
    }

    /// Ends an object, whose last line may lack its line break.
    ///
    /// # Errors
    /// What is wrong with that line.
    pub fn end_object(&mut self, each: &mut impl FnMut(RowError)) -> Result<(), String> {
        let line = std::mem::take(&mut self.partial);
        self.row(&line, each)
    }

    /// The number of rows read.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The number of rows read that are not copies of another.
    pub fn distinct_rows(&self) -> u64 {
        self.distinct_rows
    }

    /// The root mean squared error; not finite if a prediction isn't, or if there are no rows.
    pub fn rmse(&self) -> f64 {
        self.squares.root_of_mean(self.rows)
    }

    /// The root mean squared error over the different rows.
    pub fn distinct_rmse(&self) -> f64 {
        self.distinct_squares.root_of_mean(self.distinct_rows)
    }

    /// The labels of the different rows read.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Whether both are scores of the same rows with the same labels, in any order.
    pub fn are_of_the_rows_of(&self, other: &Self) -> bool {
        self.rows == other.rows && self.fingerprint == other.fingerprint
    }

    fn row(&mut self, line: &[u8], each: &mut impl FnMut(RowError)) -> Result<(), String> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(());
        }
        let text = std::str::from_utf8(line).map_err(|_| self.about_row("is not UTF-8"))?;
        let fields: Vec<&str> = text.split(',').collect();
        let [id, label, prediction] = fields[..] else {
            return Err(self.about_row(&format!("has {} fields, not row_id,label,prediction", fields.len())));
        };
        let label = number(label)
            .filter(|label| label.is_finite())
            .ok_or_else(|| self.about_row("has a label that is not a finite number"))?;
        let prediction = number(prediction).ok_or_else(|| self.about_row("has a prediction that is not a number"))?;
        let square = (prediction - label).powi(2);
        let fingerprint = fingerprint(id, label);
        // proof: the lower half of the bits is meant.
        #[allow(clippy::cast_possible_truncation)]
        let row = fingerprint as u64;
        self.rows += 1;
        self.squares.add(square);
        self.fingerprint = self.fingerprint.wrapping_add(fingerprint);
        if !is_copy(id.trim()) {
            self.distinct_rows += 1;
            self.distinct_squares.add(square);
            self.labels.add(row, label);
            each(RowError { row, square });
        }
        Ok(())
    }

    // Never mentions the row's content: error texts go into logs and e-mails.
    fn about_row(&self, what: &str) -> String {
        format!("row {} {what}", self.rows + 1)
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// The length of the id that Preprocess makes of a row's content, in characters.
const ID_CHARACTERS: usize = 24;

/// Whether a row is a copy of another, in every column and in the target. If the document keeps copies, Preprocess
/// appends a number to the ids of the second and later ones (`clean_rows` in `processing/cleaning.py`); the first is on
/// the same side of the split.
fn is_copy(id: &str) -> bool {
    let is_hexadecimal = |text: &str| text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    id.split_once('-').is_some_and(|(content, number)| {
        content.len() == ID_CHARACTERS && is_hexadecimal(content) && number.parse::<u64>().is_ok()
    })
}

/// A 128-bit hash: sums of these are equal for the same rows in any order, and differ for other rows.
fn fingerprint(id: &str, label: f64) -> u128 {
    let mut hash = Sha256::new();
    hash.update(label.to_bits().to_be_bytes());
    hash.update(id.trim());
    hash.finalize()
        .iter()
        .take(16)
        .fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

/// A sum that compensates for rounding (Neumaier): with millions of squared prices, a plain sum would lose the small
/// ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        self.sum = sum;
    }

    /// The square root of the mean of `rows` squares.
    pub(crate) fn root_of_mean(&self, rows: u64) -> f64 {
        // Exact up to 2^53 rows.
        #[allow(clippy::cast_precision_loss)]
        let rows = rows as f64;
        ((self.sum + self.lost) / rows).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scores(text: &str) -> Result<Scores, String> {
        let mut scores = Scores::default();
        scores.read(text.as_bytes(), &mut |_| ())?;
        scores.end_object(&mut |_| ())?;
        Ok(scores)
    }

    fn csv(rows: &[(u32, f64, f64)]) -> String {
        rows.iter()
            .map(|(id, label, prediction)| format!("{id},{label},{prediction}\n"))
            .collect()
    }

    #[test]
    fn what_is_no_row_is_refused_and_named() {
        for (text, expected) in [
            ("a,1,2\nb,1\n", "row 2 has 2 fields, not row_id,label,prediction"),
            ("a,1,2,3\n", "row 1 has 4 fields, not row_id,label,prediction"),
            ("a,inf,2\n", "row 1 has a label that is not a finite number"),
            ("a,,2\n", "row 1 has a label that is not a finite number"),
            ("a,1,{\"score\":2}\n", "row 1 has a prediction that is not a number"),
        ] {
            assert_eq!(scores(text).unwrap_err(), expected, "{text}");
        }
        assert_eq!(
            scores(&"x".repeat(LINE_LIMIT_BYTES + 1)).unwrap_err(),
            "row 1 is longer than 4096 bytes"
        );
        assert_eq!(
            Scores::default().read(b"\xff,1,2\n", &mut |_| ()).unwrap_err(),
            "row 1 is not UTF-8"
        );
    }

    #[test]
    fn predictions_need_not_be_finite_but_then_the_rmse_is_not() {
        for prediction in ["nan", "NaN", "inf", "-Infinity", "1e308"] {
            let read = scores(&format!("a,1,2\nb,-1e308,{prediction}\nc,1,2")).unwrap();
            assert_eq!(read.rows(), 3);
            assert!(!read.rmse().is_finite(), "{prediction}");
        }
        assert!(!Scores::default().rmse().is_finite(), "no rows");
    }

    #[test]
    fn small_errors_count_beside_large_ones() {
        let mut rows = vec![(0, 0.0, 1e8)];
        rows.extend((1..=10_000).map(|id| (id, 0.0, 0.5)));
        let exact = ((1e16 + 2_500.0) / 10_001.0_f64).sqrt();
        assert_eq!(scores(&csv(&rows)).unwrap().rmse(), exact);
    }

    #[test]
    fn copies_count_in_the_rmse_alone() {
        let row = "7f8aa22906792b0670e1143a";
        let other = "2f622e444d0b22a029321b29";
        let mut errors = Vec::new();
        let mut read = Scores::default();
        let text = format!("{row}-2,0,1\n{other},0,3\n{row},0,1\n{row}-3,0,1\n{row}-10,0,1\n");
        read.read(text.as_bytes(), &mut |error| errors.push(error.square))
            .unwrap();
        assert_eq!((read.rows(), read.distinct_rows()), (5, 2));
        assert_eq!(errors, [9.0, 1.0]);
        assert_eq!(read.rmse(), (13.0_f64 / 5.0).sqrt());
        assert_eq!(read.distinct_rmse(), 5.0_f64.sqrt());
        for no_copy in [
            "new-2",
            row,
            "7f8a-2",
            "7f8aa22906792b0670e1143g-2",
            "7f8aa22906792b0670e1143a-",
            "-2",
        ] {
            assert!(!is_copy(no_copy), "{no_copy}");
        }
    }

    #[test]
    fn line_ends_and_objects_do_not_matter() {
        let mut two = Scores::default();
        two.read(b"a,1,2\r\nb,3,", &mut |_| ()).unwrap();
        two.read(b"4", &mut |_| ()).unwrap();
        two.end_object(&mut |_| ()).unwrap();
        two.read(b"\nc,5,7\n", &mut |_| ()).unwrap();
        two.end_object(&mut |_| ()).unwrap();
        let one = scores("c,5,7\nb,3,4\na,1,2").unwrap();
        assert!(two.are_of_the_rows_of(&one));
        assert_eq!(two.rmse(), one.rmse());
    }

    #[test]
    fn other_ids_labels_or_counts_are_other_rows() {
        let rows = scores("a,1,2\nb,3,4\n").unwrap();
        for other in [
            "a,1,2\nc,3,4\n",
            "a,1,2\nb,3.5,4\n",
            "a,1,2\n",
            "a,1,2\nb,3,4\nb,3,4\n",
            "b,1,2\na,3,4\n",
        ] {
            assert!(!rows.are_of_the_rows_of(&scores(other).unwrap()), "{other}");
        }
        assert!(rows.are_of_the_rows_of(&scores("b,3.0,9\na,1.00,9\n").unwrap()));
    }

    proptest! {
        #[test]
        fn the_rmse_is_that_of_the_naive_formula(
            rows in prop::collection::vec((any::<u32>(), -1e6..1e6_f64, -1e6..1e6_f64), 1..200),
        ) {
            let naive = (rows.iter().map(|(_, label, prediction)| (prediction - label).powi(2)).sum::<f64>()
                / rows.len() as f64).sqrt();
            let streamed = scores(&csv(&rows)).unwrap().rmse();
            prop_assert!((streamed - naive).abs() <= 1e-12 * naive.max(1.0), "{streamed} {naive}");
        }

        #[test]
        fn order_and_cuts_change_nothing(
            rows in prop::collection::vec((any::<u32>(), -1e6..1e6_f64, -1e6..1e6_f64), 1..40).prop_flat_map(|rows| {
                let shuffled = Just(rows.clone()).prop_shuffle();
                (Just(rows), shuffled)
            }),
            chunk_bytes in 1_usize..50,
        ) {
            let (rows, shuffled) = rows;
            let whole = scores(&csv(&rows)).unwrap();
            let mut cut = Scores::default();
            for chunk in csv(&shuffled).as_bytes().chunks(chunk_bytes) {
                cut.read(chunk, &mut |_| ()).unwrap();
            }
            cut.end_object(&mut |_| ()).unwrap();
            prop_assert!(cut.are_of_the_rows_of(&whole));
            prop_assert!((cut.rmse() - whole.rmse()).abs() <= 1e-12 * whole.rmse().max(1.0));
        }

        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut scores = Scores::default();
            if scores.read(&bytes, &mut |_| ()).and_then(|()| scores.end_object(&mut |_| ())).is_ok() {
                prop_assert!(scores.rows() <= bytes.len() as u64);
            }
        }
    }
}
