//! Copies a file of rows into several files with few rows each.

use crate::{Documents, Error};
use aws_sdk_s3::operation::get_object::GetObjectError;
use futures::stream::{FuturesUnordered, StreamExt as _};

/// A part ends with the row that brings it to this size, however few rows it has, since a part is held in memory.
const PART_BYTES: usize = 4 * 1024 * 1024;
/// How many parts are written at once.
const AT_ONCE: usize = 16;

impl Documents {
    /// Copies the lines of an object into `<target>00000000.csv` and so on, of at most `rows` lines each. Each row must
    /// be a single line. Returns whether the object exists.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn copy_in_parts(&self, bucket: &str, key: &str, target: &str, rows: u64) -> Result<bool, Error> {
        let call = || format!("GetObject s3://{bucket}/{key}");
        let object = self.client().get_object().bucket(bucket).key(key).send().await;
        let mut body = match object {
            Ok(object) => object.body,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(false),
            Err(error) => return Err(Error::aws_call(call(), &error)),
        };
        let mut cutter = Cutter::new(rows);
        let mut writing = FuturesUnordered::new();
        let mut number = 0;
        loop {
            let chunk = body.try_next().await.map_err(|error| Error::AwsCall {
                call: call(),
                code: "ResponseUnreadable".to_owned(),
                message: error.to_string(),
            })?;
            let parts = match &chunk {
                Some(bytes) => cutter.add(bytes),
                None => cutter.end(),
            };
            for part in parts {
                if writing.len() >= AT_ONCE
                    && let Some(written) = writing.next().await
                {
                    let () = written?;
                }
                let name = format!("{target}{number:08}.csv");
                number += 1;
                writing.push(async move { self.put_bytes(&name, "text/csv", part).await });
            }
            if chunk.is_none() {
                break;
            }
        }
        while let Some(written) = writing.next().await {
            let () = written?;
        }
        Ok(true)
    }
}

/// Cuts a text that arrives in pieces into parts of whole lines.
struct Cutter {
    most_rows: u64,
    rows: u64,
    part: Vec<u8>,
}

impl Cutter {
    fn new(most_rows: u64) -> Self {
        Self {
            most_rows: most_rows.max(1),
            rows: 0,
            part: Vec::new(),
        }
    }

    /// Adds bytes; returns the parts that they complete.
    fn add(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.part.extend_from_slice(line);
            if line.ends_with(b"\n") {
                self.rows += 1;
                if self.rows == self.most_rows || self.part.len() >= PART_BYTES {
                    whole.extend(self.end());
                }
            }
        }
        whole
    }

    /// The last part, if any lines are left.
    fn end(&mut self) -> Vec<Vec<u8>> {
        self.rows = 0;
        let part = std::mem::take(&mut self.part);
        if part.is_empty() { Vec::new() } else { vec![part] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_line_is_in_one_part_in_order(
            lines in proptest::collection::vec("[a-z,\r\"]{0,9}", 0..60), ends: bool, rows in 1..12_u64, piece in 1..40_usize,
        ) {
            let mut text = lines.join("\n");
            if ends && !text.is_empty() {
                text.push('\n');
            }
            let mut cutter = Cutter::new(rows);
            let mut parts: Vec<Vec<u8>> = text.as_bytes().chunks(piece).flat_map(|bytes| cutter.add(bytes)).collect();
            parts.extend(cutter.end());
            prop_assert_eq!(parts.concat(), text.as_bytes());
            let most = usize::try_from(rows).unwrap();
            for (number, part) in parts.iter().enumerate() {
                let count = part.split_inclusive(|byte| *byte == b'\n').count();
                prop_assert!(count <= most && (count == most || number + 1 == parts.len()));
            }
        }
    }

    #[test]
    fn a_part_of_long_lines_ends_before_it_fills_the_memory() {
        let line = [b"x".repeat(PART_BYTES / 2), b"\n".to_vec()].concat();
        let mut cutter = Cutter::new(1_000);
        let parts: Vec<usize> = (0..5).flat_map(|_| cutter.add(&line)).map(|part| part.len()).collect();
        assert_eq!(parts, [2 * line.len(), 2 * line.len()]);
        assert_eq!(cutter.end(), [line]);
    }

    #[tokio::test]
    async fn an_object_becomes_numbered_objects() {
        let aws = FakeAws::new();
        let text: String = (0..95).map(|row| format!("{row},x\n")).collect();
        aws.put_object("a", "rows.csv", text.clone());
        let documents = Documents::new(crate::s3_client(&aws.sdk_config()), "b");
        assert!(documents.copy_in_parts("a", "rows.csv", "to/new.", 2).await.unwrap());
        let keys: Vec<String> = documents
            .listed("to/", None)
            .await
            .unwrap()
            .into_iter()
            .map(|it| it.key)
            .collect();
        assert_eq!(keys.len(), 48);
        assert_eq!((&*keys[0], &*keys[47]), ("to/new.00000000.csv", "to/new.00000047.csv"));
        let parts = keys
            .iter()
            .map(|key| String::from_utf8(aws.object("b", key).unwrap()).unwrap());
        assert_eq!(parts.collect::<String>(), text);
        assert!(!documents.copy_in_parts("a", "other.csv", "to/other.", 2).await.unwrap());
    }
}
