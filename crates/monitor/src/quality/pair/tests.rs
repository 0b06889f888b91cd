use super::*;
use serde_json::json;

fn attributes(problem: ProblemType, parameters: Parameters<'_>) -> Attributes {
    Attributes::parse(problem, &parameters).unwrap()
}

fn regression(inference: &str, ground_truth: Option<&str>) -> Attributes {
    attributes(
        ProblemType::Regression,
        Parameters {
            inference: Some(inference),
            ground_truth,
            ..Parameters::default()
        },
    )
}

/// A merged line with these texts.
fn merged(output: &str, encoding: &str, truth: &str, truth_encoding: &str, rows: Option<&[u64]>) -> String {
    json!({
        "captureData": {"endpointOutput": {"data": output, "encoding": encoding}},
        "eventMetadata": {"eventId": "e"},
        "groundTruthData": {"data": truth, "encoding": truth_encoding, "rows": rows},
    })
    .to_string()
}

/// The pairs of prediction and ground truth as texts, or the error.
fn pairs(attributes: &Attributes, line: &str) -> Result<Vec<(String, String)>, String> {
    let record = CaptureRecord::parse(line.as_bytes()).unwrap();
    let pairs = attributes.of_capture(&record).map_err(|error| error.to_string())?;
    let text = |value: Option<Cow<'_, str>>| value.map_or("-".to_owned(), Cow::into_owned);
    Ok(pairs
        .into_iter()
        .map(|pair| (text(pair.inference), text(pair.truth)))
        .collect())
}

fn texts(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
    Ok(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
}

#[test]
fn the_columns_of_a_table_are_found_once() {
    let attributes = attributes(
        ProblemType::BinaryClassification,
        Parameters {
            inference: Some("prediction"),
            probability: Some("probability"),
            threshold: Some("0.8"),
            ground_truth: Some("label"),
        },
    );
    let columns = attributes
        .columns(Some(&["probability", "prediction", "label"]), 3)
        .unwrap();
    let pair = columns.pair(&["0.75", " 1 ", ""]).unwrap();
    assert_eq!(pair.inference.as_deref(), Some("1"));
    assert_eq!(pair.probability.as_deref(), Some("0.75"));
    assert_eq!((pair.threshold, pair.truth), (0.8, None));
    let error = attributes.columns(Some(&["probability", "label"]), 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "inference_attribute \"prediction\" is none of the 2 columns"
    );
}

#[test]
fn a_threshold_may_stand_in_the_record() {
    let attributes = attributes(
        ProblemType::BinaryClassification,
        Parameters {
            probability: Some("p"),
            threshold: Some("t"),
            ground_truth: Some("y"),
            ..Parameters::default()
        },
    );
    let columns = attributes.columns(Some(&["p", "t", "y"]), 3).unwrap();
    assert_eq!(columns.pair(&["0.7", "0.6", "1"]).unwrap().threshold, 0.6);
    let error = columns.pair(&["0.7", "high", "1"]).unwrap_err();
    assert_eq!(error.to_string(), "probability threshold \"high\" is not a number");
    let record = json!({"p": 0.7, "t": 0.25, "y": 1});
    assert_eq!(attributes.of_json(&record).unwrap()[0].threshold, 0.25);
}

#[test]
fn parameters_are_checked() {
    let error = |problem, parameters: Parameters<'_>| Attributes::parse(problem, &parameters).unwrap_err().to_string();
    assert_eq!(
        error(ProblemType::Regression, Parameters::default()),
        "Regression needs inference_attribute"
    );
    assert_eq!(
        error(ProblemType::BinaryClassification, Parameters::default()),
        "BinaryClassification needs inference_attribute or probability_attribute"
    );
    let threshold = Parameters {
        inference: Some("0"),
        threshold: Some("1.5"),
        ..Parameters::default()
    };
    assert_eq!(
        error(ProblemType::BinaryClassification, threshold),
        "probability_threshold_attribute \"1.5\" is not a probability: 0 to 1"
    );
    let error = regression("0", None).columns(Some(&["a"]), 1).unwrap_err();
    assert!(error.to_string().ends_with("needs ground_truth_attribute"));
}

#[test]
fn a_captured_answer_meets_its_ground_truth() {
    let one = regression("0", None);
    assert_eq!(
        pairs(&one, &merged("12.5", "CSV", "13", "CSV", None)),
        texts(&[("12.5", "13")])
    );
    assert_eq!(
        pairs(&one, &merged("1\n2\n", "CSV", "3\n4", "CSV", None)),
        texts(&[("1", "3"), ("2", "4")])
    );
    let scores = regression("predictions[*].score", None);
    let answer = "{\"predictions\":[{\"score\":1.5},{\"score\":2}]}";
    for truth in [("3,4", "CSV"), ("3\n4", "CSV"), ("[3,4]", "JSON"), ("3\n4", "JSON")] {
        let line = merged(answer, "JSON", truth.0, truth.1, None);
        assert_eq!(pairs(&scores, &line), texts(&[("1.5", "3"), ("2", "4")]), "{truth:?}");
    }
}

#[test]
fn the_ground_truth_attribute_chooses_among_several_values() {
    let named = regression("0", Some("1"));
    assert_eq!(
        pairs(&named, &merged("1", "CSV", "x,9", "CSV", None)),
        texts(&[("1", "9")])
    );
    let named = regression("0", Some("label"));
    assert_eq!(
        pairs(&named, &merged("1", "CSV", "9", "CSV", None)),
        texts(&[("1", "9")])
    );
    assert_eq!(
        pairs(&named, &merged("1", "CSV", "{\"label\":9}", "JSON", None)),
        texts(&[("1", "9")])
    );
    assert_eq!(
        pairs(&named, &merged("1", "CSV", "x,9", "CSV", None)),
        Err("ground_truth_attribute \"label\" is none of the 2 columns".to_owned())
    );
}

#[test]
fn ground_truth_of_some_rows_leaves_the_others_out() {
    let one = regression("0", None);
    assert_eq!(
        pairs(&one, &merged("1\n2\n3", "CSV", "30\n10", "CSV", Some(&[2, 0]))),
        texts(&[("3", "30"), ("1", "10")])
    );
    assert_eq!(
        pairs(&one, &merged("1\n2", "CSV", "\"\"\n5", "CSV", Some(&[0, 1]))),
        texts(&[("1", "-"), ("2", "5")])
    );
    assert_eq!(
        pairs(&one, &merged("1", "CSV", "5", "CSV", Some(&[4]))),
        Err("the ground truth is of row 4 (from 0), but there are 1 predictions".to_owned())
    );
}

#[test]
fn counts_must_agree() {
    let one = regression("0", None);
    let error = pairs(&one, &merged("1\n2\n3", "CSV", "3\n4", "CSV", None)).unwrap_err();
    assert_eq!(error, "3 predictions, but 2 values of ground truth");
    let record = json!({"p": [1, 2], "y": 1});
    let named = regression("p[*]", Some("y"));
    assert!(matches!(
        named.of_json(&record),
        Err(PairError::Count {
            predictions: 2,
            truths: 1
        })
    ));
    let line = r#"{"captureData":{},"eventMetadata":{"eventId":"e"}}"#;
    let record = CaptureRecord::parse(line.as_bytes()).unwrap();
    assert_eq!(one.of_capture(&record), Err(PairError::NoOutput));
    let line = r#"{"captureData":{"endpointOutput":{"data":"1"}},"eventMetadata":{"eventId":"e"}}"#;
    let record = CaptureRecord::parse(line.as_bytes()).unwrap();
    assert_eq!(one.of_capture(&record), Err(PairError::NoGroundTruth));
}
