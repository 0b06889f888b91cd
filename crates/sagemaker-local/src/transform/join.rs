//! Conversion of a model's answers to output records: `JoinSource`, `OutputFilter` and generated inference ids, record
//! by record, as documented for Batch Transform. Pure.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::filter::{Filter, SelectError};
use super::records::{Batch, Format, UNCLOSED_QUOTE, csv_fields, lines};

/// The member that holds the answer in a joined JSON record.
const OUTPUT_MEMBER: &str = "SageMakerOutput";
/// The member that holds the input in a joined JSON record if the input is not an object.
const INPUT_MEMBER: &str = "SageMakerInput";

/// How each answer is processed.
#[derive(Debug, Clone)]
pub struct Joining {
    /// `JoinSource` is `Input`.
    pub join_input: bool,
    /// The part of the (joined) record that is kept.
    pub output_filter: Filter,
    /// Format of input and output records.
    pub format: Format,
}

/// An inference id for one record, and the time it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferenceId {
    /// A UUID.
    pub id: String,
    /// RFC 3339, UTC.
    pub time: String,
}

/// Why answers cannot be turned into output records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The number of answers differs from the number of records in the request.
    #[error(
        "Fail to join data: mismatched line count between the input and the output: {asked} records were sent, \
         {answered} came back"
    )]
    Count {
        /// Number of records in the request.
        asked: usize,
        /// Number of records in the answer.
        answered: usize,
    },
    /// A record or an answer doesn't have the expected format.
    #[error("{what} cannot be read as {format:?}: {problem}")]
    Malformed {
        /// "the record" or "the answer".
        what: &'static str,
        /// The expected format.
        format: Format,
        /// The parser's message.
        problem: String,
    },
    /// The filter does not fit the joined record.
    #[error("OutputFilter does not fit the output: {0}")]
    Filter(#[from] SelectError),
}

impl Joining {
    /// The output records of one batch, without line ends. `ids` is called once for each record, and returns an id if
    /// ids are requested.
    ///
    /// # Errors
    /// [`JoinError`]; a batch is joined as a whole or not at all.
    pub fn records(
        &self,
        batch: &Batch,
        answer: &Bytes,
        mut ids: impl FnMut() -> Option<InferenceId>,
    ) -> Result<Vec<String>, JoinError> {
        let asked = batch.records.len();
        // A JSON document may span lines: one record's answer is the whole body.
        let answers = if self.format == Format::Json && asked == 1 {
            vec![answer.clone()]
        } else {
            lines(answer)
        };
        if answers.len() != asked {
            return Err(JoinError::Count {
                asked,
                answered: answers.len(),
            });
        }
        batch
            .records
            .iter()
            .zip(&answers)
            .map(|(record, answer)| {
                let record = self.text("the record", record)?;
                let answer = self.text("the answer", answer)?;
                if self.format == Format::Csv {
                    self.csv(record, answer, ids())
                } else {
                    self.json(record, answer, ids())
                }
            })
            .collect()
    }

    fn csv(&self, record: &str, answer: &str, id: Option<InferenceId>) -> Result<String, JoinError> {
        let joined = if self.join_input {
            format!("{record},{answer}")
        } else {
            answer.to_owned()
        };
        let mut output = if self.output_filter.is_root() {
            joined
        } else {
            let fields = csv_fields(&joined).ok_or_else(|| self.malformed("the joined record", UNCLOSED_QUOTE))?;
            let columns = self.output_filter.columns(fields.len())?;
            columns
                .into_iter()
                .map(|column| fields[column])
                .collect::<Vec<_>>()
                .join(",")
        };
        if let Some(InferenceId { id, time }) = id {
            output.push_str(&format!(",{id},{time}"));
        }
        Ok(output)
    }

    fn json(&self, record: &str, answer: &str, id: Option<InferenceId>) -> Result<String, JoinError> {
        let answer = self.parse("the answer", answer)?;
        let joined = if self.join_input {
            let mut object = match self.parse("the record", record)? {
                Value::Object(object) => object,
                other => Map::from_iter([(INPUT_MEMBER.to_owned(), other)]),
            };
            object.insert(OUTPUT_MEMBER.to_owned(), answer);
            Value::Object(object)
        } else {
            answer
        };
        let mut output = self.output_filter.select(&joined)?;
        if let Some(InferenceId { id, time }) = id {
            if !output.is_object() {
                output = Value::Object(Map::from_iter([(OUTPUT_MEMBER.to_owned(), output)]));
            }
            output["SageMakerInferenceId"] = id.into();
            output["SageMakerInferenceTime"] = time.into();
        }
        Ok(output.to_string())
    }

    fn text<'b>(&self, what: &'static str, bytes: &'b Bytes) -> Result<&'b str, JoinError> {
        std::str::from_utf8(bytes).map_err(|error| self.malformed(what, &error.to_string()))
    }

    fn parse(&self, what: &'static str, text: &str) -> Result<Value, JoinError> {
        serde_json::from_str(text).map_err(|error| self.malformed(what, &error.to_string()))
    }

    fn malformed(&self, what: &'static str, problem: &str) -> JoinError {
        JoinError::Malformed {
            what,
            format: self.format,
            problem: problem.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(
        format: Format,
        join_input: bool,
        filter: &str,
        records: &[&'static str],
        answer: &'static str,
    ) -> Result<Vec<String>, JoinError> {
        let joining = Joining {
            join_input,
            output_filter: Filter::parse(filter).unwrap(),
            format,
        };
        let records = records
            .iter()
            .map(|record| Bytes::from_static(record.as_bytes()))
            .collect();
        let batch = Batch {
            records,
            payload: Bytes::new(),
        };
        joining.records(&batch, &Bytes::from_static(answer.as_bytes()), || None)
    }

    #[test]
    fn csv_rows_get_the_answer_at_the_end() {
        let rows = ["id1,\"a,b\",2", "id2,c,"];
        assert_eq!(
            join(Format::Csv, true, "$", &rows, "1.5\n2.5\n").unwrap(),
            ["id1,\"a,b\",2,1.5", "id2,c,,2.5"]
        );
        assert_eq!(
            join(Format::Csv, true, "$[0,-1]", &rows, "1.5\r\n2.5").unwrap(),
            ["id1,1.5", "id2,2.5"]
        );
        assert_eq!(
            join(Format::Csv, true, "$[1,3:]", &rows, "1.5,x\n2.5,y").unwrap(),
            ["\"a,b\",1.5,x", "c,2.5,y"]
        );
        assert_eq!(
            join(Format::Csv, false, "$[1]", &rows, "1.5,x\n2.5,y").unwrap(),
            ["x", "y"]
        );
    }

    #[test]
    fn json_records_get_a_member() {
        assert_eq!(
            join(
                Format::JsonLines,
                true,
                "$",
                &[r#"{"id":1}"#, r#"{"id":2}"#],
                "{\"p\":1}\n{\"p\":2}"
            )
            .unwrap(),
            [
                r#"{"SageMakerOutput":{"p":1},"id":1}"#,
                r#"{"SageMakerOutput":{"p":2},"id":2}"#
            ]
        );
        assert_eq!(
            join(
                Format::Json,
                true,
                "$['id','SageMakerOutput']",
                &[r#"{"id":1,"x":[1]}"#],
                "{\n \"p\": 1\n}"
            )
            .unwrap(),
            [r#"{"SageMakerOutput":{"p":1},"id":1}"#]
        );
        assert_eq!(
            join(Format::Json, true, "$", &["[1,2]"], "0.5").unwrap(),
            [r#"{"SageMakerInput":[1,2],"SageMakerOutput":0.5}"#]
        );
        assert_eq!(
            join(Format::Json, false, "$.p", &["[1,2]"], "{\"p\":[7]}").unwrap(),
            ["[7]"]
        );
    }

    #[test]
    fn ids_come_last_in_csv_and_as_members_in_json() {
        let ids = || {
            Some(InferenceId {
                id: "an-id".into(),
                time: "2026-11-22T18:30:00Z".into(),
            })
        };
        let batch = Batch {
            records: vec![Bytes::from_static(b"{\"a\":1}")],
            payload: Bytes::new(),
        };
        let mut joining = Joining {
            join_input: true,
            output_filter: Filter::root(),
            format: Format::Csv,
        };
        let csv = joining.records(&batch, &Bytes::from_static(b"2"), ids).unwrap();
        assert_eq!(csv, ["{\"a\":1},2,an-id,2026-11-22T18:30:00Z"]);
        joining.format = Format::Json;
        let json = joining.records(&batch, &Bytes::from_static(b"2"), ids).unwrap();
        assert_eq!(
            json,
            [
                r#"{"SageMakerInferenceId":"an-id","SageMakerInferenceTime":"2026-11-22T18:30:00Z","SageMakerOutput":2,"a":1}"#
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert_eq!(
            join(Format::Csv, true, "$", &["1", "2"], "1.5"),
            Err(JoinError::Count { asked: 2, answered: 1 })
        );
        assert_eq!(
            join(Format::Csv, true, "$[9]", &["1"], "1.5"),
            Err(JoinError::Filter(SelectError::Index { index: 9, length: 2 }))
        );
        let error = join(Format::Json, true, "$", &["{}"], "not json")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("the answer cannot be read as Json"), "{error}");
    }
}
