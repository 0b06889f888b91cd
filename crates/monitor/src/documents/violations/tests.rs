use proptest::prelude::*;

use super::*;

const DATA: &str = include_str!("../../../tests/documents/constraint_violations.json");
const MODEL: &str = include_str!("../../../tests/documents/model_quality_violations.json");

#[test]
fn the_text_of_data_quality_is_the_contracts() {
    let violation = |feature: &str, check: &str, description: &str| Violation {
        feature_name: Some(feature.to_owned()),
        constraint_check_type: check.to_owned(),
        description: description.to_owned(),
        metric_name: None,
    };
    let violations = vec![
        violation(
            "Flow Duration",
            "data_type_check",
            "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. \
             Observed: Only 99.65534219596258% of data is Integral.",
        ),
        violation(
            "Flow Duration",
            "completeness_check",
            "Data completeness requirement is not met. Expected: 100.0%. Observed: Only 0.8919722497522299%.",
        ),
        violation(
            "Fwd Pkt Len Mean",
            "baseline_drift_check",
            "Baseline drift distance: 0.9293200129316993 exceeds threshold: 0.1",
        ),
    ];
    let violations = Violations { violations };
    assert_eq!(violations.to_text(), DATA);
    assert_eq!(Violations::parse(DATA, "f").unwrap(), violations);
}

#[test]
fn the_text_of_model_quality_is_the_contracts() {
    let violation = Violation {
        feature_name: None,
        constraint_check_type: "LessThanThreshold".to_owned(),
        description: "Metric precision with 0.6990740740740741 +/- 0.011633050186414431 was LessThanThreshold '1.0'"
            .to_owned(),
        metric_name: Some("precision".to_owned()),
    };
    let violations = Violations {
        violations: vec![violation],
    };
    assert_eq!(violations.to_text(), MODEL);
    assert_eq!(Violations::parse(MODEL, "f").unwrap(), violations);
}

#[test]
fn none_at_all() {
    assert_eq!(Violations::default().to_text(), "{\n  \"violations\" : [ ]\n}");
}

#[test]
fn an_error_names_the_place() {
    let text = DATA.replacen("\"data_type_check\"", "4", 1);
    let error = Violations::parse(&text, "v").unwrap_err().to_string();
    assert_eq!(
        error,
        "v:4:31: `constraint_check_type` must be a string: put it in double quotes, but is 4"
    );
    let error = Violations::parse("[]", "v").unwrap_err().to_string();
    assert_eq!(error, "v:1:1: `the document` must be an object, but is an array");
}

#[test]
fn the_message_counts() {
    assert_eq!(message(0), "Completed: Job completed successfully with no violations.");
    assert_eq!(
        message(1),
        "CompletedWithViolations: Job completed successfully with 1 violations."
    );
    assert_eq!(
        message(12),
        "CompletedWithViolations: Job completed successfully with 12 violations."
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(entries in prop::collection::vec(any::<(Option<String>, String, String, Option<String>)>(), 0..4)) {
        let violation = |(feature_name, constraint_check_type, description, metric_name)| {
            Violation { feature_name, constraint_check_type, description, metric_name }
        };
        let violations = Violations { violations: entries.into_iter().map(violation).collect() };
        prop_assert_eq!(Violations::parse(&violations.to_text(), "f").unwrap(), violations);
    }
}
