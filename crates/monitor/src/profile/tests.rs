use super::*;
use crate::documents::Statistics;
use crate::documents::statistics::{Detail, InferredType};
use proptest::prelude::*;

const FORM: Form = Form {
    quotes: true,
    empty_is_missing: true,
};

fn column(values: &[&str], expected: Expected) -> Column {
    let mut column = Column::new("x".to_owned(), expected);
    push(&mut column, values);
    column
}

fn push(column: &mut Column, values: &[&str]) {
    let mut text = Vec::new();
    let mut cells = Vec::new();
    for value in values {
        cells.push((text.len(), text.len() + value.len()));
        text.extend_from_slice(value.as_bytes());
    }
    text.resize(text.len() + 128, b'7');
    column.push(&text, cells.into_iter(), FORM, &mut Vec::new());
}

#[test]
fn types_are_determined_as_the_reference_does() {
    for (values, expected) in [
        (&[][..], InferredType::Unknown),
        (&["", ""], InferredType::Unknown),
        (&["1", "", "-2"], InferredType::Integral),
        (&["1", "2.5"], InferredType::Fractional),
        (&["1", "x"], InferredType::String),
        (&["true", "false"], InferredType::String),
        (&["true", "1"], InferredType::String),
        (&["1", "true"], InferredType::String),
        (&["\"1\"", "2"], InferredType::Integral),
        (&["\"\"", "2"], InferredType::String),
        (&["99999999999999999999"], InferredType::Integral),
    ] {
        assert_eq!(
            column(values, Expected::default()).inferred_type(),
            expected,
            "{values:?}"
        );
    }
}

#[test]
fn a_column_that_turns_out_to_be_text_has_counted_its_numbers_as_values() {
    let feature = column(&["1", "1", "\"a \"\"b\"\"\"", "2", ""], Expected::default()).feature();
    let Detail::Text(text) = feature.detail else {
        panic!("{feature:?}");
    };
    assert_eq!((feature.present, feature.missing, text.distinct_count), (4, 1, 3));
    let counts: Vec<_> = text
        .categories
        .unwrap()
        .into_iter()
        .map(|it| (it.value, it.count))
        .collect();
    assert_eq!(
        counts,
        [("1".to_owned(), 2), ("2".to_owned(), 1), ("a \"b\"".to_owned(), 1)]
    );
}

#[test]
fn numbers_of_a_text_column_are_kept_where_the_baseline_is_numeric() {
    let expected = Expected {
        numeric: true,
        ..Expected::default()
    };
    let facts = column(&["1", "n/a", "3"], expected).facts();
    assert_eq!((facts.types.integral, facts.types.text), (2, 1));
    let numbers = facts.numbers.unwrap();
    assert_eq!((numbers.mean, numbers.min, numbers.max), (2.0, 1.0, 3.0));
    assert_eq!(column(&["1", "n/a", "3"], Expected::default()).facts().numbers, None);
}

#[test]
fn values_of_a_domain_are_counted_beyond_what_categories_hold() {
    let domain = [b"a".to_vec(), b"1".to_vec()].into_iter().collect();
    let expected = Expected {
        numeric: false,
        domain: Some(std::sync::Arc::new(domain)),
    };
    let many: Vec<String> = (0..1000).map(|i| format!("v{i}")).collect();
    let mut values: Vec<&str> = many.iter().map(String::as_str).collect();
    values.extend(["a", "1", "a"]);
    assert_eq!(column(&values, expected).facts().in_domain, Some(3));
}

#[test]
fn an_integer_beyond_64_bits_counts_as_one_but_is_in_no_figure() {
    let wide = column(&["1", "99999999999999999999", "3"], Expected::default());
    assert_eq!(wide.wide, 1);
    let Detail::Numeric(numbers) = wide.feature().detail else {
        panic!("{wide:?}");
    };
    assert_eq!((wide.present, numbers.max, numbers.mean), (3, 3.0, 2.0));
}

#[test]
fn numbers_of_which_none_has_a_figure_make_a_document_that_can_be_read() {
    let mut profile = Profile::new([("x".to_owned(), Expected::default())]);
    profile.columns[0] = column(&["99999999999999999999", "99999999999999999998"], Expected::default());
    profile.rows = 2;
    let text = profile.statistics().to_text();
    let read = Statistics::parse(&text, "statistics.json").unwrap();
    assert_eq!(read.to_text(), text);
    let feature = &read.features[0];
    assert_eq!((feature.inferred_type, feature.present), (InferredType::Integral, 2));
    let Detail::Numeric(numbers) = &feature.detail else {
        panic!("{feature:?}");
    };
    assert!(numbers.mean.is_nan() && numbers.min.is_nan() && numbers.levels.is_empty());
}

#[test]
fn infinite_figures_can_be_saved() {
    let mut profile = Profile::new([("x".to_owned(), Expected::default())]);
    push(&mut profile.columns[0], &["1e400", "1.5", "-1e400"]);
    let mut saved = Vec::new();
    profile.save(&mut saved).unwrap();
    let loaded = Profile::load(&*saved).unwrap();
    assert_eq!(loaded.statistics().to_text(), profile.statistics().to_text());
}

#[test]
fn a_column_that_one_part_lacks_is_missing_there() {
    let part = |name: &str, values: &[&str]| {
        let mut profile = Profile::new([(name.to_owned(), Expected::default())]);
        push(&mut profile.columns[0], values);
        profile.rows = values.len() as u64;
        profile
    };
    let mut whole = part("a", &["1", "2"]);
    whole.merge(&part("b", &["x"]));
    let columns: Vec<_> = whole
        .columns
        .iter()
        .map(|it| (it.name.as_str(), it.present, it.missing))
        .collect();
    assert_eq!((whole.rows, columns), (3, vec![("a", 2, 1), ("b", 1, 2)]));
}

#[test]
fn every_segment_has_the_columns_of_the_table() {
    let part = |names: &[&str], segments: &[&str]| {
        let mut profile = Profile::new(names.iter().map(|it| ((*it).to_owned(), Expected::default())));
        profile.columns.iter_mut().for_each(|it| push(it, &["1"]));
        profile.rows = 1;
        profile.segments = Some(Segments {
            column: "a".to_owned(),
            profiles: segments.iter().map(|it| ((*it).to_owned(), profile.clone())).collect(),
            rows_beyond: 0,
        });
        profile
    };
    let mut whole = part(&["a", "b"], &["first", "both"]);
    whole.merge(&part(&["c", "a"], &["both", "last"]));
    let segments = whole.segments.unwrap().profiles;
    let columns = |segment: &str| {
        let columns = segments[segment].columns.iter();
        columns
            .map(|it| (it.name.as_str(), it.present, it.missing))
            .collect::<Vec<_>>()
    };
    assert_eq!(columns("first"), [("a", 1, 0), ("b", 1, 0), ("c", 0, 1)]);
    assert_eq!(columns("both"), [("a", 2, 0), ("b", 1, 1), ("c", 1, 1)]);
    assert_eq!(columns("last"), [("a", 1, 0), ("b", 0, 1), ("c", 1, 0)]);
}

#[test]
fn a_saved_state_goes_on_as_if_it_had_never_been_saved() {
    let mut profile = Profile::new([("x".to_owned(), Expected::default())]);
    let values: Vec<String> = (0..10_000).map(|i| format!("{}", (i * 7919) % 10_007)).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    push(&mut profile.columns[0], &values);
    profile.notes.add(Oddity::TooFewFields, || "a.csv:3".to_owned());
    let mut saved = Vec::new();
    profile.save(&mut saved).unwrap();
    let mut loaded = Profile::load(&*saved).unwrap();
    assert_eq!(loaded, profile);
    for profile in [&mut loaded, &mut profile] {
        push(&mut profile.columns[0], &values[..3000]);
    }
    assert_eq!(loaded, profile);
    assert!(matches!(
        Profile::load(&saved[..saved.len() / 2]),
        Err(StateError::Io(_) | StateError::Form(_))
    ));
}

proptest! {
    #[test]
    fn parts_merge_to_the_whole(
        values in proptest::collection::vec("|-?[0-9]{1,4}|[0-9]{1,3}\\.[0-9]{1,3}|[a-c]", 0..200),
        cut in 0usize..200,
    ) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let cut = cut.min(values.len());
        let whole = column(&values, Expected::default()).feature();
        let mut first = column(&values[..cut], Expected::default());
        first.merge(&column(&values[cut..], Expected::default()));
        let merged = first.feature();
        prop_assert_eq!((merged.present, merged.missing, merged.inferred_type), (whole.present, whole.missing, whole.inferred_type));
        match (merged.detail, whole.detail) {
            (Detail::Numeric(a), Detail::Numeric(b)) => {
                let close = |x: f64, y: f64| (x - y).abs() <= 1e-9 * y.abs().max(1.0);
                prop_assert!(close(a.mean, b.mean) && close(a.sum, b.sum) && close(a.std_dev, b.std_dev));
                prop_assert_eq!((a.min, a.max, a.levels), (b.min, b.max, b.levels));
            }
            (a, b) => prop_assert_eq!(a, b),
        }
    }
}
