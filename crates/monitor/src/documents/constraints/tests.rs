use proptest::prelude::*;

use super::*;

const GOLDEN: &str = include_str!("../../../tests/documents/constraints.json");

fn feature(name: &str, inferred_type: InferredType, completeness: f64) -> FeatureConstraints {
    FeatureConstraints {
        name: name.to_owned(),
        inferred_type,
        completeness,
        is_non_negative: None,
        domains: None,
        overrides: Overrides::default(),
    }
}

fn golden() -> Constraints {
    let overrides = Overrides {
        evaluate: Some(false),
        threshold: Some(0.25),
        method: Some(ComparisonMethod::Simple),
        ..Overrides::default()
    };
    let domains = Some(vec!["tcp".to_owned(), "udp".to_owned()]);
    let duration = feature("Flow Duration", InferredType::Integral, 9.0 / 1009.0);
    let window = feature("Init Bwd Win Byts", InferredType::Integral, 1.0);
    Constraints {
        features: vec![
            FeatureConstraints {
                is_non_negative: Some(true),
                ..duration
            },
            FeatureConstraints {
                is_non_negative: Some(false),
                overrides,
                ..window
            },
            FeatureConstraints {
                domains,
                ..feature("protocol", InferredType::String, 1.0)
            },
            feature("comment", InferredType::String, 0.5),
            feature("reserved", InferredType::Unknown, 0.0),
        ],
        monitoring: Monitoring::default(),
    }
}

/// Parses a text that causes no warnings.
fn parse(text: &str) -> Constraints {
    let parsed = Constraints::parse(text, "c").unwrap();
    assert_eq!(parsed.warnings, []);
    parsed.document
}

fn warnings(text: &str) -> Vec<String> {
    let warnings = Constraints::parse(text, "c").unwrap().warnings;
    warnings
        .iter()
        .map(|warning| format!("{}:{}: {}", warning.line, warning.column, warning.message))
        .collect()
}

#[test]
fn the_text_is_the_contracts() {
    assert_eq!(golden().to_text(), GOLDEN);
}

#[test]
fn the_contracts_text_is_read() {
    assert_eq!(parse(GOLDEN), golden());
}

#[test]
fn what_is_missing_has_its_default() {
    let nothing = Constraints {
        features: vec![],
        monitoring: Monitoring::default(),
    };
    assert_eq!(parse("{}"), nothing);
    assert_eq!(
        parse(r#"{"features": null, "monitoring_config": {"distribution_constraints": null}}"#),
        nothing
    );
    let read = parse(r#"{"features": [{"name": "a"}]}"#);
    assert_eq!(read.features, [feature("a", InferredType::Unknown, 0.0)]);
}

#[test]
fn every_spelling_is_read() {
    let expected = Overrides {
        evaluate: Some(false),
        emit_metrics: Some(true),
        datatype_check_threshold: Some(0.5),
        domain_content_threshold: Some(1.0),
        compare: Some(true),
        threshold: Some(0.2),
        method: Some(ComparisonMethod::Simple),
        categorical_threshold: Some(0.3),
        categorical_method: Some(CategoricalMethod::ChiSquared),
    };
    let snake = r#"{"evaluate_constraints": "disabled", "emit_metrics": true, "datatype_check_threshold": "0.5",
        "domain_content_threshold": 1, "distribution_constraints": {"perform_comparison": "ENABLED",
        "comparison_threshold": " 0.2 ", "comparison_method": "simple", "categorical_comparison_threshold": 3e-1,
        "categorical_drift_method": "chi_squared"}}"#;
    let camel = r#"{"evaluateConstraints": false, "emitMetrics": "Enabled", "datatypeCheckThreshold": 0.5,
        "domainContentThreshold": "1", "DistributionConstraints": {"performComparison": "true",
        "comparisonThreshold": 0.2, "comparisonMethod": "Simple", "categoricalComparisonThreshold": 0.3,
        "categoricalDriftMethod": "ChiSquared"}}"#;
    for overrides in [snake, camel] {
        for key in ["monitoring_config_overrides", "monitoringConfigOverrides"] {
            for (before, after) in [
                ("", ""),
                ("\"num_constraints\": {", "}"),
                ("\"stringConstraints\": {", "}"),
            ] {
                let feature =
                    format!(r#"{{"name": "a", "inferredType": "integral", {before}"{key}": {overrides}{after}}}"#);
                let text = format!(r#"{{"features": [{feature}]}}"#);
                assert_eq!(parse(&text).features[0].overrides, expected, "{text}");
            }
        }
        let read = parse(&format!(r#"{{"monitoringConfig": {overrides}}}"#));
        assert_eq!(read.monitoring, Monitoring::default().with(&expected));
    }
}

#[test]
fn overrides_of_several_places_are_joined() {
    let text = r#"{"features": [{"name": "a",
  "monitoringConfigOverrides": {"evaluate_constraints": "Enabled"},
  "string_constraints": {"domains": ["x"], "monitoring_config_overrides": {"emit_metrics": "Disabled"}}}]}"#;
    let overrides = Overrides {
        evaluate: Some(true),
        emit_metrics: Some(false),
        ..Overrides::default()
    };
    assert_eq!(parse(text).features[0].overrides, overrides);

    let text = text.replace(
        "\"emit_metrics\": \"Disabled\"",
        "\"evaluate_constraints\": \"Disabled\"",
    );
    let parsed = Constraints::parse(&text, "c").unwrap();
    assert_eq!(parsed.document.features[0].overrides.evaluate, Some(true));
    let found = warnings(&text);
    assert_eq!(
        found,
        ["2:32: these overrides contradict others of the feature: these count"]
    );
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let text = r#"{
  "features": [
    {"name": "a", "completness": 1, "inferred_type": "String"},
    {"name": "a", "completeness": 0.5, "Completeness": 0.75}
  ],
  "monitoring_config": {
    "distribution_constraints": {"enable_comparisons": true, "comparision_threshold": 0.3}
  }
}"#;
    let expected = [
        "3:19: `completness` is not known in `features` and has no effect; did you mean `completeness`?",
        "4:5: the feature `a` is there twice: keep one of them",
        "4:40: `Completeness` is there twice in `features`: this one counts",
        "7:34: `enable_comparisons` is not known in `distribution_constraints` and has no effect",
        "7:62: `comparision_threshold` is not known in `distribution_constraints` and has no effect; \
         did you mean `comparison_threshold`?",
    ];
    assert_eq!(warnings(text), expected);
    let read = Constraints::parse(text, "c").unwrap().document;
    assert_eq!(read.features[1].completeness, 0.75);
    assert_eq!(read.monitoring, Monitoring::default());
}

#[test]
fn what_cannot_be_meant_is_an_error_with_its_place() {
    for (from, to, error) in [
        (
            "0.25",
            "1.5",
            "c:20:34: `comparison_threshold` must be a number from 0 to 1, but is 1.5",
        ),
        (
            "0.25",
            "NaN",
            "c:20:34: `comparison_threshold` must be a number from 0 to 1, but is NaN",
        ),
        (
            "0.25",
            "\"25%\"",
            "c:20:34: `comparison_threshold` must be a number from 0 to 1, but is \"25%\"",
        ),
        (
            "0.25",
            "[ ]",
            "c:20:34: `comparison_threshold` must be a number from 0 to 1, but is an array",
        ),
        (
            "0.5\n",
            "-0.5\n",
            "c:34:22: `completeness` must be a number from 0 to 1, but is -0.5",
        ),
        (
            "\"Disabled\"",
            "\"off\"",
            "c:18:32: `evaluate_constraints` must be one of \"Enabled\", \"Disabled\", but is \"off\"",
        ),
        (
            "\"Simple\"",
            "7",
            "c:21:31: `comparison_method` must be one of \"Simple\", \"Robust\", but is 7",
        ),
        (
            "\"tcp\"",
            "6",
            "c:29:21: `domains` must be a string: put it in double quotes, but is 6",
        ),
        ("\"name\" : \"comment\",", "", "c:31:6: `features` lacks `name`: add it"),
        ("\"udp\" ]", "\"udp\",", "c:30:5: a value was expected here"),
    ] {
        let text = GOLDEN.replacen(from, to, 1);
        assert_ne!(text, GOLDEN, "{from}");
        let found = Constraints::parse(&text, "c").unwrap_err().to_string();
        assert!(found.starts_with(error), "{found}");
    }
}

#[test]
fn overrides_hold_for_their_feature() {
    let constraints = golden();
    let own = constraints.monitoring_of(&constraints.features[1]);
    assert!(!own.evaluate && own.emit_metrics && own.distribution.compare);
    assert_eq!(
        (own.distribution.threshold, own.distribution.method),
        (0.25, ComparisonMethod::Simple)
    );
    assert_eq!(
        constraints.monitoring_of(&constraints.features[0]),
        constraints.monitoring
    );
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..=1.0, Just(0.0), Just(1.0), Just(f64::MIN_POSITIVE)]
}

fn any_overrides() -> impl Strategy<Value = Overrides> {
    let methods = prop::sample::select(vec![ComparisonMethod::Simple, ComparisonMethod::Robust]);
    let categorical = prop::sample::select(vec![CategoricalMethod::LInfinity, CategoricalMethod::ChiSquared]);
    let shares = || prop::option::of(share());
    (
        any::<[Option<bool>; 3]>(),
        [shares(), shares(), shares(), shares()],
        prop::option::of(methods),
        prop::option::of(categorical),
    )
        .prop_map(
            |([evaluate, emit_metrics, compare], shares, method, categorical_method)| {
                let [
                    datatype_check_threshold,
                    domain_content_threshold,
                    threshold,
                    categorical_threshold,
                ] = shares;
                Overrides {
                    evaluate,
                    emit_metrics,
                    datatype_check_threshold,
                    domain_content_threshold,
                    compare,
                    threshold,
                    method,
                    categorical_threshold,
                    categorical_method,
                }
            },
        )
}

fn any_constraints() -> impl Strategy<Value = Constraints> {
    let feature = (
        prop::sample::select(InferredType::ALL.to_vec()),
        share(),
        any::<Option<bool>>(),
        prop::option::of(prop::collection::vec(any::<String>(), 0..4)),
        any_overrides(),
    )
        .prop_map(
            |(inferred_type, completeness, is_non_negative, domains, overrides)| FeatureConstraints {
                is_non_negative,
                domains,
                overrides,
                ..feature("", inferred_type, completeness)
            },
        );
    let features = prop::collection::hash_map(any::<String>(), feature, 0..4).prop_map(|features| {
        features
            .into_iter()
            .map(|(name, feature)| FeatureConstraints { name, ..feature })
            .collect()
    });
    (features, any_overrides()).prop_map(|(features, common)| Constraints {
        features,
        monitoring: Monitoring::default().with(&common),
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(constraints in any_constraints()) {
        prop_assert_eq!(parse(&constraints.to_text()), constraints);
    }

    /// A truncated or altered file gives an error or a document, but never a panic; warnings are in the order of the
    /// lines.
    #[test]
    fn nothing_panics(from in 0..GOLDEN.len(), length in 0..200_usize, by in "[\\[\\]{}:,\"0-9]{0,3}", key in "[a-z_ä]{0,9}") {
        let to = (from + length).min(GOLDEN.len());
        let text = format!("{}{by}{}", &GOLDEN[..from], &GOLDEN[to..]).replace("num", &key);
        match Constraints::parse(&text, "f") {
            Err(error) => prop_assert!(error.line >= 1 && error.column >= 1 && !error.what.is_empty()),
            Ok(parsed) => {
                let places: Vec<(u64, u64)> = parsed.warnings.iter().map(|warning| (warning.line, warning.column)).collect();
                prop_assert!(places.is_sorted());
            }
        }
    }
}
