use super::*;
use proptest::prelude::*;

const LINE: &str = r#"{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"1,2\n3,4","encoding":"CSV"},"endpointOutput":{"observedContentType":"application/json","mode":"OUTPUT","data":"{\"predictions\":[{\"score\":0.5}]}","encoding":"JSON"}},"eventMetadata":{"eventId":"e-1","inferenceId":"i-1","inferenceTime":"2021-05-18T00:21:45Z"},"eventVersion":"0"}"#;

fn error(line: &str) -> String {
    CaptureRecord::parse(line.as_bytes()).unwrap_err().to_string()
}

fn payload<'l>(encoding: Encoding, content_type: &'l str, data: &'l str) -> Payload<'l> {
    Payload {
        content_type: Some(content_type.into()),
        encoding,
        data: data.into(),
    }
}

#[test]
fn a_line_is_read_and_borrowed() {
    let record = CaptureRecord::parse(LINE.as_bytes()).unwrap();
    assert_eq!(record.event_id, "e-1");
    assert_eq!(record.inference_id.as_deref(), Some("i-1"));
    assert_eq!(record.inference_time.as_deref(), Some("2021-05-18T00:21:45Z"));
    assert!(matches!(record.event_id, Cow::Borrowed(_)));
    let (input, output) = (record.input.unwrap(), record.output.unwrap());
    assert_eq!(input.content_type.as_deref(), Some("text/csv"));
    let rows = input.read().unwrap();
    assert_eq!(rows[1], Row::Csv(vec!["3".into(), "4".into()]));
    assert_eq!(output.encoding, Encoding::Json);
    assert_eq!(output.read().unwrap().len(), 1);
    assert_eq!(record.ground_truth, None);
}

#[test]
fn data_without_escapes_is_borrowed() {
    let line = LINE.replace("\\n3,4", "");
    let record = CaptureRecord::parse(line.as_bytes()).unwrap();
    let input = record.input.unwrap();
    assert!(matches!(input.data, Cow::Borrowed("1,2")));
    assert!(matches!(input.text(), Ok(Cow::Borrowed(_))));
}

#[test]
fn errors_say_what_is_missing() {
    assert!(error("{").starts_with("not a line of captured data: EOF"));
    assert_eq!(error("{}"), "eventMetadata is missing");
    assert_eq!(error(r#"{"eventMetadata":{}}"#), "captureData is missing");
    assert_eq!(
        error(r#"{"eventMetadata":{},"captureData":{}}"#),
        "eventMetadata.eventId is missing"
    );
    assert_eq!(
        error(&LINE.replace("\"eventVersion\":\"0\"", "\"eventVersion\":\"1\"")),
        "eventVersion \"1\" is not known, only \"0\" is"
    );
    assert_eq!(
        error(&LINE.replace("\"encoding\":\"CSV\"", "\"encoding\":\"XML\"")),
        "encoding \"XML\" is not CSV, JSON or BASE64"
    );
    assert_eq!(
        error(&LINE.replace("\"data\":\"1,2\\n3,4\",", "")),
        "captureData.endpointInput.data is missing"
    );
    assert!(error(&LINE.replace("\"e-1\"", "[]")).contains("expected a string"));
}

#[test]
fn input_or_output_may_be_absent() {
    let line = r#"{"captureData":{"endpointOutput":{"data":"0.5","encoding":"csv"}},"eventMetadata":{"eventId":"e"}}"#;
    let record = CaptureRecord::parse(line.as_bytes()).unwrap();
    assert_eq!(record.input, None);
    assert_eq!(record.output.unwrap().data, "0.5");
    let line = line.replace("endpointOutput", "batchTransformOutput");
    assert!(CaptureRecord::parse(line.as_bytes()).unwrap().output.is_some());
}

#[test]
fn base64_is_decoded_when_asked_for_and_read_by_its_content_type() {
    let csv = payload(Encoding::Base64, "text/csv; charset=utf-8", "MSwyCjMsNA==");
    assert_eq!(csv.text().unwrap(), "1,2\n3,4");
    assert_eq!(csv.read().unwrap().len(), 2);
    let image = payload(Encoding::Base64, "image/png", "MSwy");
    assert_eq!(
        image.read().unwrap_err().to_string(),
        "BASE64 data of content type \"image/png\" has no rows: only CSV and JSON have"
    );
    let broken = payload(Encoding::Base64, "text/csv", "?");
    assert_eq!(broken.read().unwrap_err().reason(), "invalid BASE64");
}

#[test]
fn json_rows_are_values_and_elements_of_lists_of_records() {
    let count = |data: &str| payload(Encoding::Json, "", data).read().map(|rows| rows.len());
    assert_eq!(count("{\"a\":1}\n{\"a\":2}\n"), Ok(2));
    assert_eq!(count("[{\"a\":1},{\"a\":2}]"), Ok(2));
    assert_eq!(count("[[1,2],[3,4]]"), Ok(2));
    assert_eq!(count("[1,2,3]"), Ok(1));
    assert_eq!(count(""), Ok(0));
    assert_eq!(count("{\"a\":").unwrap_err().reason(), "payload is not JSON");
}

#[test]
fn ground_truth_is_read_alone_and_merged() {
    let line =
        r#"{"groundTruthData":{"data":1,"encoding":"CSV"},"eventMetadata":{"eventId":"e-1"},"eventVersion":"0"}"#;
    let truth = GroundTruthLine::parse(line.as_bytes()).unwrap();
    assert_eq!((&*truth.id, &*truth.ground_truth.payload.data), ("e-1", "1"));
    let merged = LINE.replacen(
        '{',
        r#"{"groundTruthData":{"data":"7","encoding":"CSV","rows":[1]},"#,
        1,
    );
    let record = CaptureRecord::parse(merged.as_bytes()).unwrap();
    assert_eq!(record.ground_truth.unwrap().rows, Some(vec![1]));
    assert_eq!(
        GroundTruthLine::parse(LINE.as_bytes()),
        Err(CaptureError::Missing("groundTruthData"))
    );
}

proptest! {
    #[test]
    fn no_line_is_too_broken(at in 0..LINE.len(), length in 0_usize..20, put in prop::collection::vec(any::<u8>(), 0..8)) {
        let mut line = LINE.as_bytes().to_vec();
        let end = (at + length).min(line.len());
        line.splice(at..end, put);
        if let Ok(record) = CaptureRecord::parse(&line) {
            for payload in [record.input, record.output].into_iter().flatten() {
                if let Err(error) = payload.read() {
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
