//! Parquet: types, and files that can't be read.

use super::*;
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array,
};
use std::sync::Arc;

pub fn written(columns: Vec<(&str, ArrayRef)>, properties: Option<WriterProperties>) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, it)| (name, it, true))).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), properties).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

fn one(name: &str, array: impl arrow_array::Array + 'static) -> Vec<u8> {
    written(vec![(name, Arc::new(array))], None)
}

const PARQUET: Format = Format::Parquet;

#[test]
fn numbers_of_every_type_are_numbers() {
    let decimals = Decimal128Array::from(vec![Some(125), None, Some(-5)])
        .with_precision_and_scale(20, 2)
        .unwrap();
    let long = Decimal128Array::from(vec![Some(12_345_678_901_234_567_890_123_456_789), None, None])
        .with_precision_and_scale(38, 9)
        .unwrap();
    let file = written(
        vec![
            ("i8", Arc::new(Int8Array::from(vec![Some(-1), None, Some(3)]))),
            ("i64", Arc::new(Int64Array::from(vec![Some(i64::MAX), None, Some(0)]))),
            ("u64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)]))),
            ("f32", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(1.0)]))),
            ("f64", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(0.2)]))),
            ("decimal", Arc::new(decimals)),
            ("long", Arc::new(long)),
        ],
        None,
    );
    let profile = read(file, &PARQUET).unwrap();
    let types: Vec<_> = shape(&profile).into_iter().map(|(name, it, ..)| (name, it)).collect();
    let (integral, fractional) = (InferredType::Integral, InferredType::Fractional);
    assert_eq!(
        types,
        [
            ("i8", integral),
            ("i64", integral),
            ("u64", integral),
            ("f32", fractional),
            ("f64", fractional),
            ("decimal", fractional),
            ("long", fractional)
        ]
        .map(|(name, it)| (name.to_owned(), it))
    );
    for name in names(&profile) {
        let missing = if name == "long" { 2 } else { 1 };
        assert_eq!(feature(&profile, name).missing, missing, "{name}");
    }
    assert_eq!(numeric(&profile, "i8").sum, 2.0);
    assert_eq!(numeric(&profile, "i64").max, i64::MAX as f64);
    assert_eq!(numeric(&profile, "u64").max, u64::MAX as f64);
    assert_eq!(numeric(&profile, "f32").mean, 0.75);
    assert_eq!(numeric(&profile, "f64").sum, 0.1 + 0.2);
    assert_eq!(numeric(&profile, "decimal").max, 1.25);
    assert_eq!(numeric(&profile, "decimal").min, -0.05);
    assert_eq!(numeric(&profile, "long").sum, 12_345_678_901_234_567_890.123_456_789);
}

#[test]
fn all_else_is_text_in_the_form_of_the_reference() {
    let second = 1_000_000;
    let file = written(
        vec![
            (
                "bool",
                Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            ),
            (
                "date",
                Arc::new(Date32Array::from(vec![Some(0), Some(19_000), Some(-1)])),
            ),
            (
                "time",
                Arc::new(Time64MicrosecondArray::from(vec![
                    Some(0),
                    None,
                    Some(86_399 * second + 500_000),
                ])),
            ),
            (
                "micros",
                Arc::new(TimestampMicrosecondArray::from(vec![Some(0), Some(1), Some(-second)])),
            ),
            (
                "utc",
                Arc::new(
                    TimestampMillisecondArray::from(vec![Some(1_621_297_305_120), None, None]).with_timezone("UTC"),
                ),
            ),
            ("text", Arc::new(StringArray::from(vec![Some(""), None, Some("naïve")]))),
            (
                "bytes",
                Arc::new(BinaryArray::from(vec![Some(b"a\xff" as &[u8]), None, Some(b"b")])),
            ),
            ("nothing", Arc::new(Int32Array::from(vec![None, None, None]))),
        ],
        None,
    );
    let profile = read(file, &PARQUET).unwrap();
    let values = |name| -> Vec<String> { counts(&profile, name).into_iter().map(|(value, _)| value).collect() };
    assert_eq!(values("bool"), ["false", "true"]);
    assert_eq!(values("date"), ["1969-12-31", "1970-01-01", "2022-01-08"]);
    assert_eq!(values("time"), ["00:00:00", "23:59:59.5"]);
    assert_eq!(
        values("micros"),
        [
            "1969-12-31 23:59:59",
            "1970-01-01 00:00:00",
            "1970-01-01 00:00:00.000001"
        ]
    );
    assert_eq!(values("utc"), ["2021-05-18 00:21:45.12"]);
    assert_eq!(values("text"), ["", "naïve"]);
    assert_eq!(values("bytes"), ["a\u{fffd}", "b"]);
    assert_eq!(feature(&profile, "nothing").inferred_type, InferredType::Unknown);
    assert_eq!(
        notes(&profile),
        [(Oddity::InvalidUtf8, 1, "data: column `bytes`, row group 0")]
    );
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let ends = vec![Some(i64::MIN), Some(i64::MAX)];
    let file = written(
        vec![
            ("date", Arc::new(Date32Array::from(vec![i32::MIN, i32::MAX]))),
            ("micros", Arc::new(TimestampMicrosecondArray::from(ends.clone()))),
            (
                "nanos",
                Arc::new(arrow_array::TimestampNanosecondArray::from(ends.clone())),
            ),
            ("time", Arc::new(Time64MicrosecondArray::from(ends))),
        ],
        None,
    );
    let profile = read(file, &PARQUET).unwrap();
    assert_eq!(profile.rows, 2);
    assert_eq!(
        counts(&profile, "nanos").into_iter().map(|it| it.0).collect::<Vec<_>>(),
        ["1677-09-21 00:12:43.145224192", "2262-04-11 23:47:16.854775807"]
    );
}

#[test]
fn numbers_that_are_not_finite_are_told_and_in_no_figure() {
    let file = one(
        "a",
        Float64Array::from(vec![Some(1.0), Some(f64::NAN), Some(f64::INFINITY), None, Some(2.0)]),
    );
    let profile = read(file, &PARQUET).unwrap();
    assert_eq!(
        notes(&profile),
        [(Oddity::NotFinite, 2, "data: column `a`, row group 0")]
    );
    assert_eq!(shape(&profile), [("a".to_owned(), InferredType::Fractional, 4, 1)]);
    let numeric = numeric(&profile, "a");
    assert_eq!((numeric.sum, numeric.mean, numeric.max), (3.0, 1.5, 2.0));
    assert!(numeric.levels.iter().flatten().all(|it| it.is_finite()));
    let profile = read(one("a", Float64Array::from(vec![f64::NAN])), &PARQUET).unwrap();
    assert_eq!(feature(&profile, "a").present, 1);
}

#[test]
fn digits_in_texts_are_numbers_with_and_without_a_dictionary() {
    let texts = StringArray::from_iter((0..30_000).map(|it| (it % 11 > 0).then(|| (it % 100).to_string())));
    let mixed = StringArray::from_iter_values((0..30_000).map(|it| if it > 20_000 { "7" } else { "x" }));
    let mut seen = Vec::new();
    for dictionary in [true, false] {
        let properties = WriterProperties::builder().set_dictionary_enabled(dictionary).build();
        let file = written(
            vec![
                ("a", Arc::new(texts.clone()) as ArrayRef),
                ("b", Arc::new(mixed.clone())),
            ],
            Some(properties),
        );
        let profile = read(file, &PARQUET).unwrap();
        assert_eq!(feature(&profile, "a").inferred_type, InferredType::Integral);
        assert_eq!(feature(&profile, "a").missing, 2728);
        assert_eq!(
            counts(&profile, "b"),
            [("x".to_owned(), 20_001), ("7".to_owned(), 9_999)]
        );
        seen.push((profile.statistics(), profile.facts()));
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn every_common_compression_is_read() {
    let numbers = Int64Array::from_iter_values(0..5000);
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
    ] {
        let properties = WriterProperties::builder().set_compression(compression).build();
        let file = written(vec![("a", Arc::new(numbers.clone()))], Some(properties));
        assert_eq!(
            numeric(&read(file, &PARQUET).unwrap(), "a").max,
            4999.0,
            "{compression}"
        );
    }
}

#[test]
fn columns_that_are_not_flat_are_refused_by_name() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1)]);
    assert_eq!(
        read(one("tags", lists.finish()), &PARQUET).unwrap_err(),
        "data: column `tags` is a list, a struct or a map: make columns of its values, or leave it out"
    );
    let fixed = FixedSizeBinaryArray::try_from_iter([[1_u8; 4]].into_iter()).unwrap();
    let error = read(one("uuid", fixed), &PARQUET).unwrap_err();
    assert!(
        error.starts_with("data: column `uuid` has the type FixedSizeBinary"),
        "{error}"
    );
}

#[test]
fn damaged_files_are_told() {
    let whole = one("a", Int64Array::from_iter_values(0..100_000));
    for cut in [3, 11, whole.len() / 2, whole.len() - 1] {
        let error = read(&whole[..cut], &PARQUET).unwrap_err();
        assert!(
            error.starts_with("data: this is not a Parquet file, or it is damaged or cut off"),
            "{cut}: {error}"
        );
    }
    let mut damaged = whole.clone();
    damaged.iter_mut().skip(4).take(200).for_each(|it| *it = 0xff);
    let error = read(damaged, &PARQUET).unwrap_err();
    assert!(error.contains("damaged or cut off"), "{error}");
}

#[test]
fn files_that_are_read_together_have_the_same_columns() {
    let first = one("a", Int64Array::from(vec![1]));
    let same = one("a", Int64Array::from(vec![2]));
    let files: &[(&str, &[u8])] = &[("1", &first), ("2", &same)];
    assert_eq!(numeric(&read_all(files, &PARQUET).unwrap(), "a").sum, 3.0);
    for (other, what) in [
        (
            one("b", Int64Array::from(vec![2])),
            "column 1 is `b` (Int64) where 1 has `a` (Int64)",
        ),
        (
            one("a", Float64Array::from(vec![2.0])),
            "column 1 is `a` (Float64) where 1 has `a` (Int64)",
        ),
    ] {
        let files: &[(&str, &[u8])] = &[("1", &first), ("2", &other)];
        let error = read_all(files, &PARQUET).unwrap_err();
        assert!(error.starts_with(&format!("2: {what}")), "{error}");
    }
}

#[test]
fn without_rows_there_is_nothing_to_analyse() {
    let error = read(one("a", Int64Array::from(Vec::<i64>::new())), &PARQUET).unwrap_err();
    assert!(error.starts_with("there is no row to analyse in"), "{error}");
}

#[test]
fn a_damaged_file_is_refused_or_read_but_never_panics() {
    let whole = written(
        vec![
            ("a", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
            ("b", Arc::new(StringArray::from(vec![Some("x"), Some("y"), None]))),
        ],
        None,
    );
    let mut refused = 0;
    for at in 0..whole.len() {
        let mut file = whole.clone();
        // The sign of a number in the file's own form, for one.
        file[at] ^= 1;
        match read(&file, &PARQUET) {
            Ok(profile) => assert!(profile.columns.iter().all(|it| it.present + it.missing == profile.rows)),
            Err(error) => {
                assert!(error.starts_with("data: "), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > whole.len() / 10, "{refused} of {}", whole.len());
}
