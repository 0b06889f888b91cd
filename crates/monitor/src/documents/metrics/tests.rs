use super::*;

const TIME: &str = "2021-05-18T00:21:45Z";

fn metric(name: String, datum: Datum) -> Metric {
    Metric {
        name,
        dimensions: dimensions(Some("churn"), Some("hourly")),
        datum,
    }
}

#[test]
fn a_line_a_metric() {
    let data = Datum::Statistics {
        count: 24,
        sum: 1.5e8,
        min: -1.0,
        max: 2e7,
    };
    let metrics = [
        metric(feature_data("Flow \"Duration\""), data),
        metric(feature_non_null("a"), Datum::Value(0.5)),
        metric(feature_baseline_drift("a"), Datum::Value(0.0)),
    ];
    let both = r#"[{"Name":"Endpoint","Value":"churn"},{"Name":"MonitoringSchedule","Value":"hourly"}]"#;
    let expected = format!(
        r#"{{"MetricName":"feature_data_Flow \"Duration\"","Timestamp":"{TIME}","Dimensions":{both},"StatisticValues":{{"SampleCount":24,"Sum":1.5E8,"Minimum":-1.0,"Maximum":2.0E7}}}}
{{"MetricName":"feature_non_null_a","Timestamp":"{TIME}","Dimensions":{both},"Value":0.5}}
{{"MetricName":"feature_baseline_drift_a","Timestamp":"{TIME}","Dimensions":{both},"Value":0.0}}
"#
    );
    assert_eq!(lines(&metrics, TIME), expected);
    for line in expected.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn what_is_refused_has_no_line() {
    let statistics = |count, sum| Datum::Statistics {
        count,
        sum,
        min: 0.0,
        max: 0.0,
    };
    let refused = [
        Datum::Value(f64::NAN),
        Datum::Value(f64::INFINITY),
        statistics(1, f64::NAN),
        statistics(0, 0.0),
    ];
    assert_eq!(lines(&refused.map(|datum| metric("a".to_owned(), datum)), TIME), "");
}

#[test]
fn absent_dimensions_are_left_out() {
    let schedule = vec![("MonitoringSchedule", "hourly".to_owned())];
    assert_eq!(dimensions(None, Some("hourly")), schedule);
    assert_eq!(dimensions(Some(""), Some("hourly")), schedule);
    assert_eq!(dimensions(None, None), []);
}
