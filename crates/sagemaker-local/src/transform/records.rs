//! Conversion of an input object to requests: it is split into records, which are filtered and packed into payloads.
//! Pure. [`super::job`] sends the payloads, [`super::join`] joins the answers.

use bytes::{Bytes, BytesMut};

use super::filter::{Filter, SelectError};

/// Format of the records of an input or output, given by the media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/csv`: one record on each line, without a header.
    Csv,
    /// `application/json`: an object is one document; if split by line, each line is one.
    Json,
    /// `application/jsonlines`: one JSON record on each line.
    JsonLines,
}

impl Format {
    /// The format of a media type, regardless of its parameters; none for types that data processing can't read.
    pub fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "text/csv" => Some(Self::Csv),
            "application/json" => Some(Self::Json),
            "application/jsonlines" | "application/x-jsonlines" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// Whether records of this format can be joined with records of the other.
    pub fn joins_with(self, other: Self) -> bool {
        (self == Self::Csv) == (other == Self::Csv)
    }
}

/// How an object becomes payloads: `SplitType`, `BatchStrategy`, `MaxPayloadInMB` and `InputFilter` together.
#[derive(Debug, Clone)]
pub struct Batching {
    /// `SplitType` is `Line`.
    pub split_lines: bool,
    /// `BatchStrategy` is `MultiRecord`: a payload holds as many records as fit, otherwise one record.
    pub multi_record: bool,
    /// Maximum size of a payload; none for no limit (`MaxPayloadInMB` 0).
    pub max_payload_bytes: Option<usize>,
    /// The part of each record that is sent.
    pub input_filter: Filter,
    /// Format of the records; required if records have to be parsed.
    pub format: Option<Format>,
    /// Whether the answers are joined with the records, or filtered together with them.
    pub looks_into_records: bool,
}

/// One request to the model: the records in it, and the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The records as they are in the object, without line ends.
    pub records: Vec<Bytes>,
    /// The bytes to send: the filtered records, one on each line.
    pub payload: Bytes,
}

/// Why an object can't be converted to payloads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A single record is larger than a payload may be.
    #[error("Too much data for max payload size: record {number} has {size_bytes} bytes of at most {limit_bytes}")]
    TooLarge {
        /// Number of the record in its object, from 1.
        number: usize,
        /// Size in bytes after filtering.
        size_bytes: usize,
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// The record doesn't have the format of the input.
    #[error("record {number} cannot be read as {format:?}: {problem}")]
    Malformed {
        /// Number of the record in its object, from 1.
        number: usize,
        /// The expected format.
        format: Format,
        /// The parser's message.
        problem: String,
    },
    /// The filter does not fit the record.
    #[error("InputFilter does not fit record {number}: {source}")]
    Filter {
        /// Number of the record in its object, from 1.
        number: usize,
        /// The mismatch.
        source: SelectError,
    },
}

impl Batching {
    /// The payloads of an object, in order. Blank lines are not records. Bytes are shared rather than copied if nothing
    /// has to be changed.
    ///
    /// # Errors
    /// [`RecordError`] names the first record that cannot be sent.
    pub fn batches(&self, object: &Bytes) -> Result<Vec<Batch>, RecordError> {
        let row_wise = matches!(self.format, Some(Format::Csv | Format::JsonLines));
        let by_line = self.split_lines || (self.looks_into_records && row_wise);
        let records = if by_line { lines(object) } else { vec![object.clone()] };
        let payloads = records
            .iter()
            .enumerate()
            .map(|(index, record)| self.filtered(index + 1, record))
            .collect::<Result<Vec<_>, _>>()?;

        // An object that is not split is one payload, even if its rows are parsed.
        let one_payload = !self.split_lines;
        let mut batches: Vec<(Vec<Bytes>, Vec<Bytes>, usize)> = Vec::new();
        for (index, (record, payload)) in records.into_iter().zip(payloads).enumerate() {
            let limit = self.max_payload_bytes.unwrap_or(usize::MAX);
            let added = payload.len() + 1;
            match batches.last_mut() {
                Some((batch_records, batch_payloads, size))
                    if one_payload || (self.multi_record && *size + added <= limit) =>
                {
                    *size += added;
                    batch_records.push(record);
                    batch_payloads.push(payload);
                }
                _ => batches.push((vec![record], vec![payload], added - 1)),
            }
            if let Some((_, _, size)) = batches.last()
                && *size > limit
            {
                return Err(RecordError::TooLarge {
                    number: index + 1,
                    size_bytes: *size,
                    limit_bytes: limit,
                });
            }
        }
        Ok(batches
            .into_iter()
            .map(|(records, payloads, _)| Batch {
                records,
                payload: packed(&payloads),
            })
            .collect())
    }

    fn filtered(&self, number: usize, record: &Bytes) -> Result<Bytes, RecordError> {
        if self.input_filter.is_root() {
            return Ok(record.clone());
        }
        let format = self.format.unwrap_or(Format::Csv);
        let malformed = |problem: String| RecordError::Malformed {
            number,
            format,
            problem,
        };
        let text = std::str::from_utf8(record).map_err(|error| malformed(error.to_string()))?;
        let filtered = if format == Format::Csv {
            let fields = csv_fields(text).ok_or_else(|| malformed(UNCLOSED_QUOTE.to_owned()))?;
            let columns = self.input_filter.columns(fields.len());
            let columns = columns.map_err(|source| RecordError::Filter { number, source })?;
            columns
                .into_iter()
                .map(|column| fields[column])
                .collect::<Vec<_>>()
                .join(",")
        } else {
            let value = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
            let selected = self.input_filter.select(&value);
            selected
                .map_err(|source| RecordError::Filter { number, source })?
                .to_string()
        };
        Ok(filtered.into())
    }
}

/// Message for a CSV record with a quote that doesn't end on its line.
pub(super) const UNCLOSED_QUOTE: &str =
    "a quote is not closed (lines are split without regard to quotes: take line ends out of quoted fields)";

/// The fields of a CSV line as they are written, including quotes, so that they can be joined again unchanged. None if
/// a quote is not closed.
pub fn csv_fields(line: &str) -> Option<Vec<&str>> {
    let bytes = line.as_bytes();
    let mut fields = Vec::new();
    let (mut start, mut at) = (0, 0);
    loop {
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            loop {
                match (bytes.get(at)?, bytes.get(at + 1)) {
                    (b'"', Some(b'"')) => at += 2,
                    (b'"', _) => break,
                    _ => at += 1,
                }
            }
            at += 1;
        }
        while at < bytes.len() && bytes[at] != b',' {
            at += 1;
        }
        fields.push(&line[start..at]);
        if at == bytes.len() {
            return Some(fields);
        }
        at += 1;
        start = at;
    }
}

/// The lines of an object without their ends (`\n` or `\r\n`) and without blank lines.
pub fn lines(object: &Bytes) -> Vec<Bytes> {
    object
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
        .map(|line| object.slice_ref(line))
        .collect()
}

fn packed(payloads: &[Bytes]) -> Bytes {
    if let [only] = payloads {
        return only.clone();
    }
    let mut packed = BytesMut::with_capacity(payloads.iter().map(|payload| payload.len() + 1).sum());
    for (index, payload) in payloads.iter().enumerate() {
        if index > 0 {
            packed.extend_from_slice(b"\n");
        }
        packed.extend_from_slice(payload);
    }
    packed.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn csv(filter: &str, multi_record: bool, max_payload_bytes: Option<usize>) -> Batching {
        Batching {
            split_lines: true,
            multi_record,
            max_payload_bytes,
            input_filter: Filter::parse(filter).unwrap(),
            format: Some(Format::Csv),
            looks_into_records: false,
        }
    }

    fn payloads(batching: &Batching, object: &'static str) -> Vec<String> {
        let batches = batching.batches(&Bytes::from_static(object.as_bytes())).unwrap();
        batches
            .iter()
            .map(|batch| String::from_utf8(batch.payload.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn one_record_or_as_many_as_fit() {
        assert_eq!(
            payloads(&csv("$", false, None), "1,2\r\n3,4\n\n5,6\n"),
            ["1,2", "3,4", "5,6"]
        );
        assert_eq!(payloads(&csv("$", true, None), "1,2\n3,4\n5,6"), ["1,2\n3,4\n5,6"]);
        assert_eq!(payloads(&csv("$", true, Some(7)), "1,2\n3,4\n5,6"), ["1,2\n3,4", "5,6"]);
        assert_eq!(payloads(&csv("$", true, Some(7)), ""), [""; 0]);
    }

    #[test]
    fn filtered_records_keep_their_quotes() {
        assert_eq!(
            payloads(&csv("$[1:]", true, None), "id1,\"a,\"\"b\"\"\",2\nid2,c,\n"),
            ["\"a,\"\"b\"\"\",2\nc,"]
        );
    }

    #[test]
    fn a_record_larger_than_a_payload_is_named() {
        let error = csv("$", true, Some(4))
            .batches(&Bytes::from_static(b"1,2\n12,34"))
            .unwrap_err();
        assert_eq!(
            error,
            RecordError::TooLarge {
                number: 2,
                size_bytes: 5,
                limit_bytes: 4
            }
        );
    }

    #[test]
    fn a_line_end_inside_quotes_splits_the_record() {
        let error = csv("$[1:]", true, None)
            .batches(&Bytes::from_static(b"1,\"a\nb\",2\n"))
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("record 1 cannot be read as Csv: a quote is not closed"),
            "{error}"
        );
    }

    #[test]
    fn unsplit_rows_are_one_payload() {
        let batching = Batching {
            split_lines: false,
            looks_into_records: true,
            ..csv("$[1:]", false, None)
        };
        let batches = batching.batches(&Bytes::from_static(b"1,2\n3,4\n")).unwrap();
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].records, ["1,2", "3,4"]);
        assert_eq!(batches[0].payload, "2\n4");
    }

    #[test]
    fn json_records_are_filtered_by_name() {
        let batching = Batching {
            format: Some(Format::JsonLines),
            ..csv("$.features", true, None)
        };
        assert_eq!(
            payloads(
                &batching,
                "{\"id\":1,\"features\":[1,2]}\n{\"id\":2,\"features\":[3.5]}\n"
            ),
            ["[1,2]\n[3.5]"]
        );
    }

    proptest! {
        #[test]
        fn fields_put_together_are_the_line(line in "[a\",\\\\ é]{0,24}") {
            if let Some(fields) = csv_fields(&line) {
                prop_assert_eq!(fields.join(","), line);
            }
        }

        #[test]
        fn fields_are_those_of_the_csv_crate(fields in prop::collection::vec("[a\",é ]{0,5}", 2..5)) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            writer.write_record(&fields).unwrap();
            let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let raw = csv_fields(written.trim_end_matches('\n')).unwrap();
            let unquoted = raw.iter().map(|field| match field.strip_prefix('"') {
                Some(inner) => inner.strip_suffix('"').unwrap().replace("\"\"", "\""),
                None => (*field).to_owned(),
            });
            prop_assert_eq!(unquoted.collect::<Vec<_>>(), fields);
        }

        #[test]
        fn no_record_is_lost_whatever_the_payload(rows in prop::collection::vec("[0-9,]{1,9}", 0..30), limit in 9usize..60) {
            let object = Bytes::from(rows.join("\n"));
            let batches = csv("$", true, Some(limit)).batches(&object).unwrap();
            prop_assert!(batches.iter().all(|batch| batch.payload.len() <= limit));
            let sent: Vec<_> = batches.iter().flat_map(|batch| batch.records.clone()).collect();
            prop_assert_eq!(sent, rows);
        }
    }
}
