//! Every check with its text, and the cases in which it reports nothing.

use super::*;
use crate::checks::suggest;
use crate::documents::statistics::{Category, Detail, Numeric, Text};
use crate::profile::TypeCounts;

fn numeric(name: &str, values: &[f64]) -> Feature {
    let fold = |f: fn(f64, f64) -> f64| values.iter().copied().reduce(f).unwrap_or(0.0);
    Feature {
        name: name.to_owned(),
        inferred_type: InferredType::Integral,
        present: values.len() as u64,
        missing: 0,
        detail: Detail::Numeric(Numeric {
            min: fold(f64::min),
            max: fold(f64::max),
            levels: vec![values.to_vec()],
            ..Numeric::default()
        }),
    }
}

fn text(name: &str, counts: &[(&str, u64)]) -> Feature {
    let categories: Vec<_> = counts
        .iter()
        .map(|(value, count)| Category {
            value: (*value).to_owned(),
            count: *count,
        })
        .collect();
    Feature {
        name: name.to_owned(),
        inferred_type: InferredType::String,
        present: counts.iter().map(|(_, count)| count).sum(),
        missing: 0,
        detail: Detail::Text(Text {
            distinct_count: counts.len() as u64,
            categories: Some(categories),
        }),
    }
}

fn table(features: Vec<Feature>) -> Statistics {
    let rows = features.first().map_or(0, |feature| feature.present + feature.missing);
    Statistics { rows, features }
}

/// `(feature, check, text)` of the violations of `now`, with the constraints suggested for `before`.
fn violated(
    before: &Statistics,
    now: &Statistics,
    facts: &[ColumnFacts],
    change: impl FnOnce(&mut Constraints),
) -> Vec<(String, String, String)> {
    let mut constraints = suggest(before);
    change(&mut constraints);
    evaluate(Some(before), &constraints, now, facts, &Switches::default())
        .violations
        .into_iter()
        .map(|violation| {
            assert_eq!(violation.metric_name, None);
            (
                violation.feature_name.unwrap(),
                violation.constraint_check_type,
                violation.description,
            )
        })
        .collect()
}

fn texts(violations: Vec<(String, String, String)>) -> Vec<String> {
    violations.into_iter().map(|(_, _, text)| text).collect()
}

fn facts(name: &str, integral: u64, fractional: u64, text: u64) -> ColumnFacts {
    ColumnFacts {
        name: name.to_owned(),
        types: TypeCounts {
            integral,
            fractional,
            boolean: 0,
            text,
        },
        ..ColumnFacts::default()
    }
}

fn ramp(from: i32, to: i32) -> Vec<f64> {
    (from..to).map(f64::from).collect()
}

#[test]
fn data_like_the_baseline_violate_nothing() {
    let data = table(vec![numeric("a", &ramp(0, 500)), text("b", &[("x", 300), ("y", 200)])]);
    let facts = [
        facts("a", 500, 0, 0),
        ColumnFacts {
            in_domain: Some(500),
            ..facts("b", 0, 0, 500)
        },
    ];
    assert_eq!(violated(&data, &data, &facts, |_| {}), []);
}

#[test]
fn types_are_counted_over_the_values() {
    let before = table(vec![numeric("a", &ramp(0, 1000))]);
    let mut now = numeric("a", &ramp(0, 1000));
    now.missing = 0;
    let violations = violated(&before, &table(vec![now]), &[facts("a", 2024, 3, 4)], |_| {});
    assert_eq!(
        violations,
        [(
            "a".to_owned(),
            "data_type_check".to_owned(),
            "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. \
             Observed: Only 99.65534219596258% of data is Integral."
                .to_owned()
        )]
    );
}

#[test]
fn whole_numbers_are_fractional_ones_too() {
    let mut before = numeric("a", &ramp(0, 1000));
    before.inferred_type = InferredType::Fractional;
    let before = table(vec![before]);
    assert_eq!(violated(&before, &before, &[facts("a", 700, 300, 0)], |_| {}), []);
    let found = texts(violated(&before, &before, &[facts("a", 500, 300, 200)], |_| {}));
    assert!(found[0].ends_with(
        "Expected data type: Fractional, Expected match: 100.0%. Observed: Only 80.0% of data is Fractional."
    ));
    let lenient = |constraints: &mut Constraints| constraints.monitoring.datatype_check_threshold = 0.8;
    assert_eq!(violated(&before, &before, &[facts("a", 500, 300, 200)], lenient), []);
    assert_eq!(violated(&before, &before, &[], |_| {}), []);
}

#[test]
fn completeness_is_that_of_the_current_rows() {
    let before = table(vec![numeric("a", &ramp(0, 1009))]);
    let mut now = numeric("a", &ramp(0, 9));
    now.missing = 1000;
    let switch_off = |constraints: &mut Constraints| constraints.monitoring.distribution.compare = false;
    assert_eq!(
        texts(violated(&before, &table(vec![now.clone()]), &[], switch_off)),
        ["Data completeness requirement is not met. Expected: 100.0%. Observed: Only 0.8919722497522299%."]
    );
    let accepted = |constraints: &mut Constraints| {
        constraints.monitoring.distribution.compare = false;
        constraints.features[0].completeness = 9.0 / 1009.0;
    };
    assert_eq!(violated(&before, &table(vec![now]), &[], accepted), []);
}

#[test]
fn the_robust_distance_is_what_an_accident_would_not_explain() {
    // 400 of 500 values are larger than all of the baseline.
    let before = table(vec![numeric("a", &ramp(0, 1000))]);
    let now = table(vec![numeric("a", &[ramp(0, 100), ramp(2000, 2400)].concat())]);
    let simple = |constraints: &mut Constraints| constraints.monitoring.distribution.method = ComparisonMethod::Simple;
    // The whole baseline, but only a fifth of the current values, is at most 999.
    assert_eq!(
        texts(violated(&before, &now, &[], simple)),
        ["Baseline drift distance: 0.8 exceeds threshold: 0.1"]
    );
    let robust = 0.8 - 1.8 * (1500.0_f64 / 500_000.0).sqrt();
    assert_eq!(
        texts(violated(&before, &now, &[], |_| {})),
        [format!("Baseline drift distance: {robust} exceeds threshold: 0.1")]
    );
    let tolerant = |constraints: &mut Constraints| constraints.features[0].overrides.threshold = Some(0.71);
    assert_eq!(violated(&before, &now, &[], tolerant), []);
}

#[test]
fn the_distance_is_that_of_the_sketch() {
    let mut before = numeric("a", &[1.0, 2.0]);
    let Detail::Numeric(numbers) = &mut before.detail else {
        panic!()
    };
    numbers.levels = vec![vec![1.0], vec![2.0, 3.0], vec![4.0]];
    let now = table(vec![numeric("a", &[1.0, 2.0, 3.0, 4.0])]);
    let simple = |constraints: &mut Constraints| constraints.monitoring.distribution.method = ComparisonMethod::Simple;
    // The cumulative shares are 1/9, 3/9, 5/9 and 1, compared with quarters.
    let distance = 3.0 / 4.0 - 5.0 / 9.0;
    assert_eq!(
        texts(violated(&table(vec![before]), &now, &[], simple)),
        [format!("Baseline drift distance: {distance} exceeds threshold: 0.1")]
    );
}

#[test]
fn few_values_explain_a_large_distance() {
    let before = table(vec![numeric("a", &ramp(0, 1000))]);
    let now = table(vec![numeric("a", &[1.0, 2.0, 3.0])]);
    assert_eq!(violated(&before, &now, &[], |_| {}), []);
}

#[test]
fn categories_are_compared_by_their_shares_not_their_order() {
    let before = table(vec![text("a", &[("x", 5000), ("y", 3000), ("z", 2000)])]);
    let now = table(vec![text("a", &[("y", 5000), ("x", 3000), ("w", 2000)])]);
    let simple = |constraints: &mut Constraints| constraints.monitoring.distribution.method = ComparisonMethod::Simple;
    assert_eq!(
        violated(&before, &now, &[], simple),
        [(
            "a".to_owned(),
            "baseline_drift_check".to_owned(),
            "Baseline drift distance: 0.2 exceeds threshold: 0.1".to_owned()
        )]
    );
    let tolerant = |constraints: &mut Constraints| {
        simple(constraints);
        constraints.monitoring.distribution.categorical_threshold = Some(0.2);
    };
    assert_eq!(violated(&before, &now, &[], tolerant), []);
}

#[test]
fn the_chi_squared_test_speaks_by_its_p_value() {
    let before = table(vec![text("a", &[("x", 500), ("y", 500)])]);
    let chi_squared = |constraints: &mut Constraints| {
        constraints.monitoring.distribution.categorical_method = Some(CategoricalMethod::ChiSquared);
    };
    let now = |x| table(vec![text("a", &[("x", x), ("y", 100 - x)])]);
    assert_eq!(violated(&before, &now(52), &[], chi_squared), []);
    let found = texts(violated(&before, &now(60), &[], chi_squared));
    assert!(
        found[0].starts_with("Baseline drift p-value: 0.0455002638963"),
        "{found:?}"
    );
    assert!(found[0].ends_with(" is below threshold: 0.1"));
    let simple = |constraints: &mut Constraints| {
        chi_squared(constraints);
        constraints.monitoring.distribution.method = ComparisonMethod::Simple;
    };
    assert_eq!(
        texts(violated(&before, &now(60), &[], simple)),
        ["Baseline drift distance: 4.0 exceeds threshold: 0.1"]
    );
}

#[test]
fn values_beyond_the_domain_are_a_share_of_the_values() {
    let data = table(vec![text("a", &[("x", 300), ("y", 200)])]);
    let facts = [ColumnFacts {
        in_domain: Some(495),
        ..facts("a", 0, 0, 500)
    }];
    let found = violated(&data, &data, &facts, |_| {});
    assert_eq!(found[0].1, "categorical_values_check");
    assert!(
        found[0]
            .2
            .contains("Expected match: 100.0%. Observed: Only 99.0% of data")
    );
    let lenient =
        |constraints: &mut Constraints| constraints.features[0].overrides.domain_content_threshold = Some(0.99);
    assert_eq!(violated(&data, &data, &facts, lenient), []);
}

#[test]
fn columns_are_missed_and_noticed() {
    let before = table(vec![
        numeric("a", &ramp(0, 9)),
        numeric("b", &ramp(0, 9)),
        numeric("c", &ramp(0, 9)),
    ]);
    let now = table(vec![numeric("a", &ramp(0, 9)), numeric("d", &ramp(0, 9))]);
    let found = violated(&before, &now, &[], |_| {});
    assert_eq!(
        found,
        [
            (
                "Missing columns".to_owned(),
                "missing_column_check".to_owned(),
                "There are missing columns in current dataset. Number of columns in current dataset: 2, \
                 Number of columns in baseline constraints: 3. Missing columns: b, c"
                    .to_owned()
            ),
            (
                "Extra columns".to_owned(),
                "extra_column_check".to_owned(),
                "There are extra columns in current dataset. Number of columns in current dataset: 2, \
                 Number of columns in baseline constraints: 3. Extra columns: d"
                    .to_owned()
            ),
        ]
    );
    let off = |constraints: &mut Constraints| constraints.monitoring.evaluate = false;
    assert_eq!(violated(&before, &now, &[], off), []);
}

#[test]
fn what_is_switched_off_says_nothing() {
    let before = table(vec![numeric("a", &ramp(0, 1000)), numeric("b", &ramp(0, 1000))]);
    let now = table(vec![numeric("a", &ramp(5000, 6000))]);
    let off = |constraints: &mut Constraints| {
        for feature in &mut constraints.features {
            feature.overrides.evaluate = Some(false);
        }
    };
    assert_eq!(violated(&before, &now, &[facts("a", 0, 0, 1000)], off), []);
    // A feature may be enabled while the rest is disabled.
    let only_one = |constraints: &mut Constraints| {
        constraints.monitoring.evaluate = false;
        constraints.features[0].overrides.evaluate = Some(true);
    };
    assert_eq!(violated(&before, &now, &[], only_one).len(), 1);
}

#[test]
fn a_stray_word_does_not_keep_numbers_from_being_compared() {
    let before = table(vec![numeric("a", &ramp(0, 1000))]);
    let now = table(vec![text("a", &[("n/a", 1)])]);
    let Detail::Numeric(numbers) = numeric("a", &ramp(5000, 6000)).detail else {
        panic!()
    };
    let facts = [ColumnFacts {
        numbers: Some(numbers),
        ..facts("a", 1000, 0, 1)
    }];
    let found = violated(&before, &now, &facts, |_| {});
    assert_eq!(
        found.iter().map(|found| found.1.as_str()).collect::<Vec<_>>(),
        ["data_type_check", "baseline_drift_check"]
    );
}

#[test]
fn equal_numbers_may_be_weighed_as_the_reference_does() {
    let before = table(vec![numeric("a", &ramp(0, 1000))]);
    let now = table(vec![numeric("a", &[5.0; 1000])]);
    let constraints = suggest(&before);
    let count = |reference_ranks| {
        let switches = Switches { reference_ranks };
        evaluate(Some(&before), &constraints, &now, &[], &switches)
            .violations
            .len()
    };
    assert_eq!((count(false), count(true)), (1, 0));
}

#[test]
fn without_a_baseline_only_the_constraints_speak() {
    let before = table(vec![numeric("a", &ramp(0, 1000))]);
    let mut now = numeric("a", &ramp(5000, 6000));
    now.missing = 1;
    let found = evaluate(None, &suggest(&before), &table(vec![now]), &[], &Switches::default());
    assert_eq!(found.violations[0].constraint_check_type, "completeness_check");
    assert_eq!(found.violations.len(), 1);
}

#[test]
fn no_rows_violate_nothing_but_the_columns() {
    let before = table(vec![numeric("a", &ramp(0, 1000)), text("b", &[("x", 1000)])]);
    let now = table(vec![numeric("a", &[]), text("b", &[])]);
    let facts = [
        facts("a", 0, 0, 0),
        ColumnFacts {
            in_domain: Some(0),
            ..facts("b", 0, 0, 0)
        },
    ];
    assert_eq!(violated(&before, &now, &facts, |_| {}), []);
}
