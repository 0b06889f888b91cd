use super::*;
use crate::quality::pair::Parameters;
use crate::quality::{Attributes, ProblemType};
use proptest::prelude::*;

fn captured(event: &str, inference: Option<&str>, output: &str) -> String {
    json!({
        "captureData": {"endpointOutput": {"data": output, "encoding": "CSV"}},
        "eventMetadata": {"eventId": event, "inferenceId": inference, "inferenceTime": "2026-01-01T00:00:00Z"},
        "eventVersion": "0",
    })
    .to_string()
}

fn truth(id: &str, data: &str) -> String {
    json!({"groundTruthData": {"data": data, "encoding": "CSV"}, "eventMetadata": {"eventId": id}, "eventVersion": "0"})
        .to_string()
}

fn index(text: &str) -> GroundTruthIndex {
    let mut index = GroundTruthIndex::default();
    index.read("truth", text.as_bytes());
    index
}

/// The true values of a captured line, by row.
fn joined(index: &GroundTruthIndex, line: &str) -> Option<Vec<(String, String)>> {
    let mut merge = Merge::new(index);
    let merged = merge.line("capture", 1, line)?.into_owned();
    let record = CaptureRecord::parse(merged.as_bytes()).unwrap();
    let parameters = Parameters {
        inference: Some("0"),
        ..Parameters::default()
    };
    let attributes = Attributes::parse(ProblemType::Regression, &parameters).unwrap();
    let pairs = attributes.of_capture(&record).unwrap();
    Some(
        pairs
            .into_iter()
            .map(|pair| (pair.inference.unwrap().into_owned(), pair.truth.unwrap().into_owned()))
            .collect(),
    )
}

fn texts(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    Some(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
}

#[test]
fn the_inference_id_comes_before_the_event_id() {
    let index = index(&[truth("i", "1"), truth("e", "2")].join("\n"));
    assert_eq!(joined(&index, &captured("e", Some("i"), "9")), texts(&[("9", "1")]));
    assert_eq!(joined(&index, &captured("e", None, "9")), texts(&[("9", "2")]));
    assert_eq!(joined(&index, &captured("e", Some("other"), "9")), texts(&[("9", "2")]));
    assert_eq!(joined(&index, &captured("x", None, "9")), None);
}

#[test]
fn the_later_value_wins_and_is_counted() {
    let index = index(&[truth("e", "1"), truth("e", "2")].join("\n"));
    assert_eq!((index.len(), index.duplicates()), (1, 1));
    assert_eq!(joined(&index, &captured("e", None, "9")), texts(&[("9", "2")]));
}

#[test]
fn a_table_names_requests_and_rows() {
    let index = index("time,id,label\r\n1,a#1,11\r\n2,a#0,10\n3,b,\"1,5\"\n4,c#x,7\n5,a#1,12\n");
    assert_eq!(index.duplicates(), 1);
    assert_eq!(
        joined(&index, &captured("e", Some("a"), "1\n2\n3")),
        texts(&[("1", "10"), ("2", "12")])
    );
    assert_eq!(joined(&index, &captured("b", None, "4")), texts(&[("4", "1,5")]));
    assert_eq!(joined(&index, &captured("c#x", None, "4")), texts(&[("4", "7")]));
    // The id of a row may also be the id of a request.
    assert_eq!(joined(&index, &captured("a#1", None, "4")), texts(&[("4", "12")]));
}

#[test]
fn the_contracts_lines_may_name_rows_too() {
    let index = index(&[truth("a#2", "7"), truth("a#0", "5")].join("\n"));
    assert_eq!(
        joined(&index, &captured("a", None, "1\n2\n3")),
        texts(&[("1", "5"), ("3", "7")])
    );
}

#[test]
fn a_merged_line_is_the_captured_one_with_a_member_more() {
    let index = index(&truth("e", "1\n2"));
    let line = captured("e", None, "3\n4");
    let mut merge = Merge::new(&index);
    let merged = merge.line("capture", 1, &format!("{line} \r")).unwrap().into_owned();
    let mut expected: Value = serde_json::from_str(&line).unwrap();
    expected["groundTruthData"] = json!({"data": "1\n2", "encoding": "CSV"});
    assert_eq!(serde_json::from_str::<Value>(&merged).unwrap(), expected);
    assert!(merged.starts_with(line.strip_suffix('}').unwrap()));
    // A merged line stays as it is.
    assert_eq!(merge.line("capture", 2, &merged).as_deref(), Some(merged.as_str()));
    let null = line.replacen('{', "{\"groundTruthData\":null,", 1);
    let merged = merge.line("capture", 3, &null).unwrap();
    assert!(CaptureRecord::parse(merged.as_bytes()).unwrap().ground_truth.is_some());
}

#[test]
fn what_is_joined_and_what_is_not_is_counted() {
    let index = index(&truth("e", "1"));
    let mut merge = Merge::new(&index);
    assert!(merge.line("day.jsonl", 1, &captured("e", None, "1")).is_some());
    assert!(merge.line("day.jsonl", 2, &captured("f", None, "1")).is_none());
    assert!(merge.line("day.jsonl", 3, " ").is_none());
    assert!(merge.line("day.jsonl", 4, "{\"captureData\":{}}").is_none());
    let mut other = Merge::new(&index);
    assert!(other.line("next.jsonl", 1, "{}").is_none());
    assert!(other.line("next.jsonl", 2, &captured("e", None, "1")).is_some());
    merge.add(other);
    let counts = merge.counts();
    assert_eq!((counts.records, counts.joined, counts.joined_share), (3, 2, 2.0 / 3.0));
    let skipped = merge.skips().as_slice();
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].rows, 2);
    assert_eq!(skipped[0].first, "day.jsonl:4: eventMetadata is missing");
    assert_eq!(Merge::new(&index).counts().joined_share, 0.0);
}

#[test]
fn ground_truth_that_cannot_be_read_is_noted() {
    let lines = format!(
        "{}\n\nnonsense\n{}",
        truth("e", "1"),
        r#"{"eventMetadata":{"eventId":"f"}}"#
    );
    let jsonl = index(&lines);
    let firsts: Vec<_> = jsonl
        .skips()
        .as_slice()
        .iter()
        .map(|skipped| skipped.first.as_str())
        .collect();
    assert_eq!(firsts.len(), 2);
    assert!(
        firsts[0].starts_with("truth:3: not a line of captured data"),
        "{}",
        firsts[0]
    );
    assert_eq!(firsts[1], "truth:4: groundTruthData is missing");
    let table = index("id,label\na,\n,1\nb,2\nc\n");
    let skipped: Vec<_> = table
        .skips()
        .as_slice()
        .iter()
        .map(|s| (s.reason.as_str(), s.rows, s.first.as_str()))
        .collect();
    assert_eq!(
        skipped,
        [
            ("ground truth: no label", 2, "truth:2: no label of a"),
            ("ground truth: no id", 1, "truth:3: no id")
        ]
    );
    assert_eq!(index("name,value\na,1\n").skips().rows(), 1);
    let mut bytes = GroundTruthIndex::default();
    bytes.read("truth", b"id,label\n\xff,1\n");
    assert!(bytes.is_empty() && bytes.skips().rows() == 1);
}

proptest! {
    #[test]
    fn any_text_is_ground_truth_or_noted(text in prop::collection::vec(any::<u8>(), 0..60), line in "\\PC{0,30}") {
        let mut index = GroundTruthIndex::default();
        index.read("truth", &text);
        index.read("truth", line.as_bytes());
        let mut merge = Merge::new(&index);
        let merged = merge.line("capture", 1, &line);
        prop_assert!(merged.is_none() && merge.skips().rows() == u64::from(!line.trim().is_empty()));
    }

    #[test]
    fn ids_and_values_of_any_text_are_found_again(id in "[^\\x00-\\x1f]{1,8}", value in "[^\\x00-\\x1f]{1,8}") {
        prop_assume!(!id.trim().is_empty() && !value.trim().is_empty());
        let (id, value) = (id.trim(), value.trim());
        let mut table = "id,label\n".to_owned();
        write_field(&mut table, id);
        table.push(',');
        write_field(&mut table, value);
        let found = joined(&index(&table), &captured(id, None, "1"));
        prop_assert_eq!(found, texts(&[("1", value)]));
    }
}
