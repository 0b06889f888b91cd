use proptest::prelude::*;

use super::*;

const GOLDEN: &str = include_str!("../../../tests/documents/statistics.json");

fn golden() -> Statistics {
    let bounds: Vec<f64> = (0..=10).map(|index| f64::from(index) * 1.2e7).collect();
    let counts = [4.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let bucket = |(bounds, count): (&[f64], f64)| Bucket {
        lower_bound: bounds[0],
        upper_bound: bounds[1],
        count,
    };
    let numeric = Numeric {
        mean: 28_750_038.500_084_884,
        sum: 172_500_231.000_509_3,
        std_dev: 44_882_654.213_541_225,
        min: 0.0,
        max: 1.2e8,
        buckets: bounds.windows(2).zip(counts).map(bucket).collect(),
        levels: vec![vec![0.0, 231.0, 0.000_509_268_282_040_392_9, 5.25e7, 1.2e8], vec![]],
    };
    let category = |value: &str, count| Category {
        value: value.to_owned(),
        count,
    };
    let feature = |name: &str, inferred_type, present, detail| Feature {
        name: name.to_owned(),
        inferred_type,
        present,
        missing: 7 - present,
        detail,
    };
    let text = |distinct_count, categories| {
        Detail::Text(Text {
            distinct_count,
            categories,
        })
    };
    let protocols = vec![category("tcp", 6), category("udp\t", 1)];
    Statistics {
        rows: 7,
        features: vec![
            feature("Flow Duration", InferredType::Fractional, 6, Detail::Numeric(numeric)),
            feature("protocol \"ä\"", InferredType::String, 7, text(2, Some(protocols))),
            feature("comment", InferredType::String, 7, text(133, None)),
            feature("reserved", InferredType::Unknown, 0, text(0, Some(vec![]))),
        ],
    }
}

#[test]
fn the_text_is_the_contracts() {
    assert_eq!(golden().to_text(), GOLDEN);
}

#[test]
fn the_contracts_text_is_read() {
    assert_eq!(Statistics::parse(GOLDEN, "statistics.json").unwrap(), golden());
}

/// As written by the contract's own preview, and as rewritten by tools.
#[test]
fn other_layouts_are_read() {
    let text = r#"{"version": 0, "dataset": {"item_count": 3.0}, "more": [1], "features": [
        {"name": "a", "inferred_type": "Integral", "custom": {}, "numerical_statistics": {
            "common": {"num_present": "2", "num_missing": 1}, "mean": 1, "sum": 2, "std_dev": "NaN", "min": NaN,
            "max": "Infinity"}},
        {"name": "b", "inferred_type": "Unknown"},
        {"name": "c", "inferred_type": "Unknown", "numerical_statistics": {
            "common": {"num_present": 0, "num_missing": 3}}},
        {"name": "d", "inferred_type": "String", "numerical_statistics": null, "string_statistics": {
            "common": {"num_present": 3, "num_missing": 0}, "distinct_count": 3,
            "distribution": {"categorical": null}}}]}"#;
    let statistics = Statistics::parse(text, "f").unwrap();
    assert_eq!(statistics.rows, 3);
    let Detail::Numeric(numeric) = &statistics.features[0].detail else {
        panic!("not numeric")
    };
    assert!(numeric.std_dev.is_nan() && numeric.min.is_nan() && numeric.max == f64::INFINITY);
    assert_eq!((numeric.mean, numeric.buckets.len(), numeric.levels.len()), (1.0, 0, 0));
    assert_eq!((statistics.features[0].present, statistics.features[0].missing), (2, 1));
    for feature in &statistics.features[1..3] {
        assert_eq!((feature.present, feature.missing), (0, 3), "{}", feature.name);
        assert_eq!(feature.detail, Detail::Text(Text::default()), "{}", feature.name);
    }
    let text = Text {
        distinct_count: 3,
        categories: None,
    };
    assert_eq!(statistics.features[3].detail, Detail::Text(text));
}

#[test]
fn an_error_names_the_place() {
    for (from, to, error) in [
        (
            "\"item_count\" : 7",
            "\"item_count\" : -7",
            "s:4:20: `item_count` must be a whole number from 0, but is -7",
        ),
        (
            "\"item_count\" : 7",
            "\"rows\" : 7",
            "s:3:15: `dataset` lacks `item_count`: add it",
        ),
        (
            "\"sum\" : 1.725002310005093E8",
            "\"sum\" : \"much\"",
            "s:15:15: `sum` must be a number, but is \"much\"",
        ),
        (
            "\"num_present\" : 6",
            "\"num_present\" : 6.5",
            "s:11:25: `num_present` must be a whole number from 0, but is 6.5",
        ),
        (
            "\"value\" : \"tcp\"",
            "\"value\" : 1",
            "s:84:23: `value` must be a string: put it in double quotes, but is 1",
        ),
        (
            "\"inferred_type\" : \"Fractional\"",
            "\"inferred_type\" : \"Boolean\"",
            "s:8:23: `inferred_type` must be one of \"Integral\", \"Fractional\", \"String\", \"Unknown\", but is \"Boolean\"",
        ),
        (
            "\"inferred_type\" : \"Fractional\"",
            "\"inferred_type\" : \"String\"",
            "s:6:18: a column of type String has `string_statistics` alone",
        ),
    ] {
        let text = GOLDEN.replacen(from, to, 1);
        assert_ne!(text, GOLDEN, "{from}");
        assert_eq!(Statistics::parse(&text, "s").unwrap_err().to_string(), error);
    }
}

fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("equal to itself", |value| !value.is_nan())
}

fn any_statistics() -> impl Strategy<Value = Statistics> {
    let bucket = (number(), number(), number()).prop_map(|(lower_bound, upper_bound, count)| Bucket {
        lower_bound,
        upper_bound,
        count,
    });
    let numeric = (
        [number(), number(), number(), number(), number()],
        prop::collection::vec(bucket, 0..4),
        prop::collection::vec(prop::collection::vec(number(), 0..4), 0..4),
    )
        .prop_map(|([mean, sum, std_dev, min, max], buckets, levels)| {
            Detail::Numeric(Numeric {
                mean,
                sum,
                std_dev,
                min,
                max,
                buckets,
                levels,
            })
        });
    let category = (any::<String>(), 0..i64::MAX as u64).prop_map(|(value, count)| Category { value, count });
    // A distinct count is a double in the file.
    let text = (0..1_u64 << 53, prop::option::of(prop::collection::vec(category, 0..4))).prop_map(
        |(distinct_count, categories)| {
            Detail::Text(Text {
                distinct_count,
                categories,
            })
        },
    );
    let kinds = prop_oneof![
        (
            prop::sample::select(vec![InferredType::Integral, InferredType::Fractional]),
            numeric.boxed()
        ),
        (
            prop::sample::select(vec![InferredType::String, InferredType::Unknown]),
            text.boxed()
        ),
    ];
    let count = || 0..i64::MAX as u64;
    let feature =
        (any::<String>(), kinds, count(), count()).prop_map(|(name, (inferred_type, detail), present, missing)| {
            Feature {
                name,
                inferred_type,
                present,
                missing,
                detail,
            }
        });
    (count(), prop::collection::vec(feature, 0..4)).prop_map(|(rows, features)| Statistics { rows, features })
}

proptest! {
    #[test]
    fn what_is_written_is_read(statistics in any_statistics()) {
        let text = statistics.to_text();
        prop_assert_eq!(Statistics::parse(&text, "f").unwrap(), statistics);
    }

    /// A truncated or altered file gives an error or a document, but never a panic.
    #[test]
    fn nothing_panics(from in 0..GOLDEN.len(), length in 0..200_usize, by in "[\\[\\]{}:,\"0-9]{0,3}") {
        let from = GOLDEN.floor_char_boundary(from);
        let to = GOLDEN.floor_char_boundary((from + length).min(GOLDEN.len()));
        let text = format!("{}{by}{}", &GOLDEN[..from], &GOLDEN[to..]);
        if let Err(error) = Statistics::parse(&text, "f") {
            prop_assert!(error.line >= 1 && error.column >= 1 && !error.what.is_empty());
        }
    }
}
