//! The same data gives the same figures, whatever the format, the compression and the number of threads.

use super::parquet::written;
use super::*;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};
use std::num::NonZero;
use std::sync::Arc;

/// `table.jsonl` as Parquet, in row groups of `group` rows.
fn table_as_parquet(group: usize) -> Vec<u8> {
    let text = std::fs::read_to_string(golden("table.jsonl")).unwrap();
    let rows: Vec<serde_json::Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let texts = |name: &str| -> ArrayRef { Arc::new(StringArray::from_iter(rows.iter().map(|it| it[name].as_str()))) };
    let days = rows.iter().map(|it| {
        let day: jiff::civil::Date = it["day"].as_str().unwrap().parse().unwrap();
        day.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days()
    });
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .build();
    written(
        vec![
            (
                "amount",
                Arc::new(Float64Array::from_iter(rows.iter().map(|it| it["amount"].as_f64()))),
            ),
            (
                "count",
                Arc::new(Int64Array::from_iter(rows.iter().map(|it| it["count"].as_i64()))),
            ),
            ("day", Arc::new(Date32Array::from_iter_values(days))),
            (
                "flag",
                Arc::new(BooleanArray::from_iter(rows.iter().map(|it| it["flag"].as_bool()))),
            ),
            ("id", texts("id")),
            ("place", texts("place")),
        ],
        Some(properties),
    )
}

#[test]
fn every_format_gives_the_same_statistics() {
    let csv = read_with(&golden("table.csv"), &CSV, &Options::default()).unwrap();
    let json = read_with(&golden("table.jsonl"), &Format::JsonLines, &Options::default()).unwrap();
    let parquet = read(table_as_parquet(1000), &Format::Parquet).unwrap();
    assert_eq!(csv.rows, 300);
    assert_eq!(csv.statistics(), json.statistics());
    assert_eq!(csv.statistics(), parquet.statistics());
    assert_eq!(csv.facts(), json.facts());
    assert_eq!(csv.facts(), parquet.facts());
    // And these are real figures, rather than none.
    assert_eq!(numeric(&csv, "amount").levels[0].len(), 270);
    assert_eq!(counts(&csv, "place").len(), 5);
}

#[test]
fn every_format_gives_the_same_segments() {
    let whole = read_with(&golden("table.csv"), &CSV, &Options::default()).unwrap();
    for column in ["place", "flag", "count"] {
        let options = Options {
            segment: Some(column.to_owned()),
            ..Options::default()
        };
        let files = folder(&[("p", &table_as_parquet(1000))]);
        let profiles = [
            read_with(&golden("table.csv"), &CSV, &options).unwrap(),
            read_with(&golden("table.jsonl"), &Format::JsonLines, &options).unwrap(),
            read_with(files.path(), &Format::Parquet, &options).unwrap(),
        ];
        let [csv, json, parquet] = profiles.map(|it| it.segments.unwrap());
        for segments in [&csv, &json, &parquet] {
            let rows: u64 = segments.profiles.values().map(|it| it.rows).sum();
            let present = feature(&whole, column).present;
            assert_eq!(rows + segments.rows_beyond, present);
        }
        // If there are too many values, formats differ in which of them come first.
        let many = column == "count";
        assert_eq!(csv.profiles.len(), if many { 64 } else { csv.profiles.len() });
        assert!(csv.profiles.len() > 1);
        let mut compared = 0;
        for (value, segment) in &csv.profiles {
            for other in [&json, &parquet] {
                match other.profiles.get(value) {
                    Some(other) => assert_eq!(segment.statistics(), other.statistics(), "{value}"),
                    None => assert!(many),
                }
                compared += usize::from(other.profiles.contains_key(value));
            }
        }
        assert!(compared > 0);
    }
}

#[test]
fn an_unknown_segment_column_is_an_error() {
    let options = Options {
        segment: Some("nowhere".to_owned()),
        ..Options::default()
    };
    for (file, format) in [("table.csv", CSV), ("table.jsonl", Format::JsonLines)] {
        let error = read_with(&golden(file), &format, &options).unwrap_err().to_string();
        assert!(
            error.contains("no column `nowhere` to make segments of; there are: amount"),
            "{error}"
        );
    }
}

const ROWS: u64 = 50_000;
const TEXTS: [&str; 3] = [
    "a text that is long enough for a few thousand rows to fill more than one block",
    "one with \"quotes\", which is longer yet in every one of the formats of text there are",
    "and one, with commas, so that quotes are needed around it in a field of some CSV",
];

type NamedFile = (&'static str, Vec<u8>);

/// Data that fills several blocks of text, in several files.
fn large() -> Vec<(Format, Vec<NamedFile>)> {
    let row = |it: u64| (it, it * 7919 % 100_003, TEXTS[(it % 3) as usize]);
    let rows = || (0..ROWS).map(row);
    let csv: String = rows()
        .map(|(i, n, t)| format!("{i},{}.5,\"{}\"\n", n, t.replace('"', "\"\"")))
        .collect();
    let csv = format!("i,n,t\n{csv}");
    let json: String = rows()
        .map(|(i, n, t)| match i % 50_000 {
            // Some keys come late, in a block of their own.
            49_999 => format!("{}\n", serde_json::json!({"i": i, "n": n, "t": t, "late": i})),
            _ => format!("{}\n", serde_json::json!({"i": i, "n": n, "t": t})),
        })
        .collect();
    let capture: String = rows()
        .map(|(i, n, t)| {
            let input = format!("{i},{n},\"{}\"", t.replace('"', "\"\""));
            format!(
                "{}\n",
                serde_json::json!({"captureData": {
                    "endpointInput": {"data": input, "encoding": "CSV"},
                    "endpointOutput": {"data": format!("{}", n as f64 / 8.0), "encoding": "CSV"}
                }})
            )
        })
        .collect();
    let parquet = written(
        vec![
            (
                "i",
                Arc::new(Int64Array::from_iter_values(rows().map(|it| it.0 as i64))),
            ),
            (
                "n",
                Arc::new(Float64Array::from_iter_values(rows().map(|it| it.1 as f64))),
            ),
            ("t", Arc::new(StringArray::from_iter_values(rows().map(|it| it.2)))),
        ],
        Some(
            WriterProperties::builder()
                .set_max_row_group_row_count(Some(7_000))
                .build(),
        ),
    );
    let twice = |content: Vec<u8>| vec![("1", content.clone()), ("2", content)];
    vec![
        (CSV, twice(csv.into_bytes())),
        (Format::JsonLines, twice(json.into_bytes())),
        (Format::captured(), twice(capture.into_bytes())),
        (Format::Parquet, twice(parquet)),
    ]
}

#[test]
fn one_thread_finds_what_many_find_in_plain_and_compressed_files() {
    for (format, files) in large() {
        let read = |threads, files: &[(&str, Vec<u8>)]| {
            let files: Vec<_> = files.iter().map(|(name, it)| (*name, it.as_slice())).collect();
            let folder = folder(&files);
            let options = Options {
                threads: NonZero::new(threads),
                ..Options::default()
            };
            read_with(folder.path(), &format, &options).unwrap()
        };
        let one = read(1, &files);
        assert_eq!(one.rows, 2 * ROWS, "{format:?}");
        assert!(notes(&one).is_empty());
        for threads in [2, 5] {
            assert!(read(threads, &files) == one, "{format:?} with {threads} threads");
        }
        if format == Format::Parquet {
            continue;
        }
        for compress in [gzip, zstd] {
            let files: Vec<_> = files.iter().map(|(name, it)| (*name, compress(it))).collect();
            assert!(read(2, &files) == one, "{format:?}");
        }
    }
}

/// Columns with too many values to count in total, but few in each segment; and keys that come late.
#[test]
fn segments_and_late_columns_do_not_depend_on_threads() {
    let padding = "x".repeat(200);
    let line = |it: u64| {
        let segment = it % 8;
        // Within a segment, only a few of many values, and numbers where others have words.
        let value = segment * 100 + it / 8 % 20;
        let word = if segment == 0 {
            "1".to_owned()
        } else {
            format!("w{value}")
        };
        (segment, value, word, it / 10_000)
    };
    let json: String = (0..80_000)
        .map(line)
        .enumerate()
        .map(|(at, (segment, value, word, part))| {
            let late = if at % 5000 == 4999 {
                format!(",\"late{}\":1", 9 - part)
            } else {
                String::new()
            };
            format!("{{\"s\":{segment},\"v\":\"v{value}\",\"w\":\"{word}\",\"p\":\"{padding}\"{late}}}\n")
        })
        .collect();
    let csv: String = (0..80_000)
        .map(line)
        .map(|(segment, value, word, _)| format!("{segment},v{value},{word},{padding}\n"))
        .collect();
    let csv = format!("s,v,w,p\n{csv}");
    for (text, format) in [(json, Format::JsonLines), (csv, CSV)] {
        let folder = folder(&[("data", text.as_bytes())]);
        let read = |threads| {
            let options = Options {
                threads: NonZero::new(threads),
                segment: Some("s".to_owned()),
                ..Options::default()
            };
            read_with(folder.path(), &format, &options).unwrap()
        };
        let one = read(1);
        for threads in [2, 5] {
            assert!(read(threads) == one, "{format:?} with {threads} threads");
        }
        let segments = &one.segments.as_ref().unwrap().profiles;
        assert_eq!(segments.len(), 8);
        for (segment, profile) in segments {
            assert_eq!(profile.rows, 10_000);
            assert_eq!(counts(profile, "v").len(), 20, "segment {segment}");
        }
        assert_eq!(numeric(&segments["0"], "w").sum, 10_000.0);
        if format == Format::JsonLines {
            // All late keys are in rows of the last segment.
            let late = names(&one).into_iter().filter(|it| it.starts_with("late"));
            let counts: Vec<_> = late.map(|it| (it, feature(&segments["7"], it).present)).collect();
            assert_eq!(counts.len(), 8);
            assert!(counts.iter().all(|(_, present)| *present == 2), "{counts:?}");
        }
    }
}

/// A key that doesn't occur in a segment is a column of that segment nevertheless, whether or not its block was read
/// earlier.
#[test]
fn segments_have_all_columns_wherever_a_block_ends() {
    let json = "{\"s\":\"x\",\"a\":1}\n{\"s\":\"y\",\"b\":2}\n{\"s\":\"z\",\"c\":3}\n{\"s\":\"x\",\"d\":4}\n";
    let capture: String = json
        .lines()
        .map(|it| it.replace('"', "\\\""))
        .map(|it| format!("{{\"captureData\":{{\"endpointInput\":{{\"data\":\"{it}\",\"encoding\":\"JSON\"}}}}}}\n"))
        .collect();
    for (text, format) in [(json, Format::JsonLines), (&*capture, Format::captured())] {
        let folder = folder(&[("data", text.as_bytes())]);
        for (block, threads) in [
            (1, 1),
            (1, 3),
            (text.len() / 2, 1),
            (text.len() / 2, 3),
            (text.len(), 1),
        ] {
            let options = Options {
                threads: NonZero::new(threads),
                block: NonZero::new(block),
                segment: Some("s".to_owned()),
                ..Options::default()
            };
            let profile = read_with(folder.path(), &format, &options).unwrap();
            let expected = names(&profile);
            assert_eq!(expected.len(), 5, "{format:?}");
            let segments = profile.segments.as_ref().unwrap();
            assert_eq!(segments.profiles.len(), 3);
            for (segment, found) in &segments.profiles {
                assert_eq!(names(found), expected, "{segment}, blocks of {block}, {format:?}");
                assert!(found.columns.iter().all(|it| it.present + it.missing == found.rows));
            }
        }
    }
}

#[test]
fn errors_do_not_depend_on_threads() {
    let text: String = (0..400_000).map(|it| format!("{it},{it}\n")).collect();
    let first = format!("a,b\n{text}");
    let second = format!("a,c\n{text}");
    let third = format!("a,d\n{text}");
    let folder = folder(&[
        ("1", first.as_bytes()),
        ("2", second.as_bytes()),
        ("3", third.as_bytes()),
    ]);
    for threads in [1, 2, 4] {
        let options = Options {
            threads: NonZero::new(threads),
            ..Options::default()
        };
        let error = read_with(folder.path(), &CSV, &options).unwrap_err().to_string();
        assert!(error.contains("is `c` where"), "{error}");
    }
}

#[test]
fn progress_ends_at_the_end() {
    use std::sync::Mutex;
    for (format, files) in large() {
        let files: Vec<_> = files.iter().map(|(name, it)| (*name, it.as_slice())).collect();
        let folder = folder(&files);
        let told = Mutex::new((0, 0));
        let tell = |read: u64, total: u64| {
            let mut told = told.lock().unwrap();
            assert!(read >= told.0);
            *told = (read, total);
        };
        let options = Options {
            on_progress: Some(&tell),
            ..Options::default()
        };
        read_with(folder.path(), &format, &options).unwrap();
        let (read, total) = *told.lock().unwrap();
        let expected: usize = files.iter().map(|(_, it)| it.len()).sum();
        assert_eq!(total, expected as u64);
        // In Parquet only the columns are counted, not the rest of the file.
        assert!(read <= total && read * 10 >= total * 9, "{format:?}: {read} of {total}");
    }
}
