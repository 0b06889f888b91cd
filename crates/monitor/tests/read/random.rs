//! Random tables compared with a simple count, and random bytes, which may cause no more than an error.

use super::parquet::written;
use super::*;
use arrow_array::{Float64Array, Int64Array, StringArray};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Whole,
    Fraction,
    Words,
}

fn cell(kind: Kind) -> BoxedStrategy<String> {
    let value = match kind {
        Kind::Whole => any::<i32>().prop_map(|it| it.to_string()).boxed(),
        Kind::Fraction => (any::<i32>(), 1u32..1000)
            .prop_map(|(whole, part)| format!("{whole}.{part}"))
            .boxed(),
        Kind::Words => "[a-z][a-z0-9,;\"\n\r é.]{0,12}".boxed(),
    };
    prop_oneof![4 => value, 1 => Just(String::new())].boxed()
}

/// Kinds of columns, and their rows.
fn table() -> impl Strategy<Value = (Vec<Kind>, Vec<Vec<String>>)> {
    let kind = prop::sample::select(vec![Kind::Whole, Kind::Fraction, Kind::Words]);
    prop::collection::vec(kind, 2..6).prop_flat_map(|kinds| {
        let row: Vec<_> = kinds.iter().map(|it| cell(*it)).collect();
        (Just(kinds), prop::collection::vec(row, 1..40))
    })
}

fn check(profile: &Profile, kinds: &[Kind], rows: &[Vec<String>]) -> Result<(), TestCaseError> {
    prop_assert_eq!(profile.rows, rows.len() as u64);
    prop_assert!(notes(profile).is_empty(), "{:?}", notes(profile));
    for (at, kind) in kinds.iter().enumerate() {
        let name = format!("c{at}");
        let values: Vec<_> = rows
            .iter()
            .map(|row| row[at].as_str())
            .filter(|it| !it.is_empty())
            .collect();
        let found = feature(profile, &name);
        prop_assert_eq!(found.present, values.len() as u64);
        prop_assert_eq!(found.missing, (rows.len() - values.len()) as u64);
        if values.is_empty() {
            prop_assert_eq!(found.inferred_type, InferredType::Unknown);
            continue;
        }
        if matches!(kind, Kind::Words) {
            prop_assert_eq!(found.inferred_type, InferredType::String);
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            for value in values {
                *expected.entry(value.to_owned()).or_default() += 1;
            }
            let found: BTreeMap<_, _> = counts(profile, &name).into_iter().collect();
            prop_assert_eq!(found, expected);
            continue;
        }
        let whole = matches!(kind, Kind::Whole);
        let expected = if whole {
            InferredType::Integral
        } else {
            InferredType::Fractional
        };
        prop_assert_eq!(found.inferred_type, expected);
        let numbers: Vec<f64> = values.iter().map(|it| it.parse().unwrap()).collect();
        let found = numeric(profile, &name);
        prop_assert_eq!(found.sum, numbers.iter().sum::<f64>());
        prop_assert_eq!(found.min, numbers.iter().copied().fold(f64::INFINITY, f64::min));
        prop_assert_eq!(found.max, numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        prop_assert_eq!(&found.levels[0], &numbers);
    }
    Ok(())
}

/// Words become JSON strings; empty values become `null` or no member at all.
fn as_json(kinds: &[Kind], rows: &[Vec<String>], spaced: bool) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let members = row.iter().zip(kinds).enumerate().filter_map(|(at, (value, kind))| {
            let value = match kind {
                _ if value.is_empty() && number % 2 == 0 => return None,
                _ if value.is_empty() => "null".to_owned(),
                Kind::Words => serde_json::to_string(value).unwrap(),
                _ => value.clone(),
            };
            Some(if spaced {
                format!(" \"c{at}\" : {value} ")
            } else {
                format!("\"c{at}\":{value}")
            })
        });
        let mut members: Vec<_> = members.collect();
        if number % 3 == 0 {
            members.reverse();
        }
        text += &format!("{{{}}}\n", members.join(","));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn tables_are_read_as_they_were_written((kinds, rows) in table(), delimiter in prop::sample::select(b",;\t|".to_vec()), spaced: bool) {
        let mut writer = ::csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record((0..kinds.len()).map(|at| format!("c{at}"))).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        check(&read(text, &Format::Csv { header: true, delimiter }).unwrap(), &kinds, &rows)?;

        let text = as_json(&kinds, &rows, spaced);
        let profile = read(text, &Format::JsonLines).unwrap();
        // A column that is missing in all rows has no key.
        let known: Vec<usize> = (0..kinds.len()).filter(|at| names(&profile).contains(&format!("c{at}").as_str())).collect();
        let known_kinds: Vec<_> = known.iter().map(|at| kinds[*at]).collect();
        let mut renamed = profile.clone();
        for (new, old) in known.iter().enumerate() {
            let column = renamed.columns.iter_mut().find(|it| it.name == format!("c{old}")).unwrap();
            column.name = format!("c{new}");
        }
        let known_rows: Vec<Vec<String>> = rows.iter().map(|row| known.iter().map(|at| row[*at].clone()).collect()).collect();
        check(&renamed, &known_kinds, &known_rows)?;

        let columns = (0..kinds.len()).map(|at| {
            let values = rows.iter().map(|row| row[at].as_str()).map(|it| (!it.is_empty()).then_some(it));
            let array: arrow_array::ArrayRef = match kinds[at] {
                Kind::Whole => Arc::new(Int64Array::from_iter(values.map(|it| it.map(|it| it.parse::<i64>().unwrap())))),
                Kind::Fraction => Arc::new(Float64Array::from_iter(values.map(|it| it.map(|it| it.parse::<f64>().unwrap())))),
                Kind::Words => Arc::new(StringArray::from_iter(values)),
            };
            (format!("c{at}"), array)
        });
        let columns: Vec<_> = columns.collect();
        let file = written(columns.iter().map(|(name, it)| (name.as_str(), it.clone())).collect(), None);
        check(&read(file, &Format::Parquet).unwrap(), &kinds, &rows)?;
    }

    #[test]
    fn any_bytes_are_data_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in [CSV, Format::JsonLines, Format::captured(), Format::Parquet] {
            if let Ok(profile) = read(&bytes, &format) {
                prop_assert!(profile.rows > 0);
                for column in &profile.columns {
                    prop_assert_eq!(column.present + column.missing, profile.rows);
                }
            }
        }
    }

    #[test]
    fn almost_json_is_data_or_an_error(parts in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", "\"", "\\", "\\u00e9", "a", "\"a\":", "\"b\" : ", "1", "-2.5e3", "null", "true", ",", "\n", " ",
        "{\"a\":1}\n", "{\"a\":{\"b\":[1,{}]}}\n", "\u{e9}", "\t", "\r",
        "{\"captureData\":{\"endpointInput\":{\"data\":\"1,2\\n3,4\",\"encoding\":\"CSV\"}}}\n",
        "{\"captureData\":{\"endpointInput\":{\"encoding\":\"JSON\",\"data\":\"{\\\"features\\\":[1,[2],{}],\\\"a\\\":2}", "\"}}}\n",
    ]), 0..40)) {
        let text = parts.concat();
        for format in [Format::JsonLines, Format::captured()] {
            if let Ok(profile) = read(&text, &format) {
                for column in &profile.columns {
                    prop_assert_eq!(column.present + column.missing, profile.rows);
                }
                let lines = text.lines().filter(|it| !it.trim_ascii().is_empty()).count() as u64;
                if format == Format::JsonLines {
                    prop_assert_eq!(profile.rows + profile.notes.skipped_rows(), lines);
                }
            }
        }
    }

    #[test]
    fn damaged_parquet_is_data_or_an_error(at in 0usize..10_000, byte: u8, count in 1usize..4) {
        let texts = StringArray::from_iter_values((0..500).map(|it| format!("t{}", it % 40)));
        let numbers = Int64Array::from_iter_values((0..500).map(|it| it * it));
        let mut file = written(vec![("t", Arc::new(texts) as _), ("n", Arc::new(numbers))], None);
        let start = at % file.len();
        file.iter_mut().skip(start).take(count).for_each(|it| *it ^= byte);
        if let Ok(profile) = read(&file, &Format::Parquet) {
            for column in &profile.columns {
                prop_assert_eq!(column.present + column.missing, profile.rows);
            }
        }
    }
}
