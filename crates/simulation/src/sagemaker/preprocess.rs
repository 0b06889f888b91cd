//! Stands for `processing/preprocess.py`. Files are read as the document declares, with the product's own readers, and
//! refused by the same rules; the split depends on the row's content. There are no cleaning rules except the target's,
//! and no encoding.

use super::data::hash;
use super::folders::{document, files, write};
use contracts::use_case::{Column, ColumnType, Input, UseCase};
use files::{Kind, Numbers, TextStream};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// `MAX_FEATURES` of the script.
const MOST_FEATURES: usize = 2_000;

type Row = BTreeMap<String, String>;

pub fn preprocess(input: &Path, output: &Path) -> Result<(), String> {
    let config: UseCase = document(&input.join("code/use-case.json"))?;
    let columns = config.columns();
    let mut sides: BTreeMap<&str, String> = ["train", "validation", "holdout", "raw"]
        .map(|it| (it, String::new()))
        .into();
    sides.insert("raw", columns.join(",") + "\n");
    let (mut labels, mut held_out) = (Vec::new(), Vec::new());
    let (mut read, mut duplicates, mut dropped) = (0, 0, BTreeMap::new());
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    let mut words = BTreeMap::new();
    for file in files(&input.join("data")) {
        let rows = rows(&file, &config)?;
        read += rows.len();
        for row in within_rules(&file, rows, &config, &mut dropped)? {
            let raw: Vec<String> = columns
                .iter()
                .map(|name| row.get(name).cloned().unwrap_or_default())
                .collect();
            let Some(label) = row.get(&config.target.name).and_then(|it| it.parse::<f64>().ok()) else {
                continue;
            };
            let text = raw.join(",");
            let id = hash(&format!("{label},{text}"));
            let copies = seen.entry(id).or_default();
            *copies += 1;
            if *copies > 1 && config.cleaning.drop_duplicates {
                duplicates += 1;
                continue;
            }
            let name = match *copies {
                1 => format!("{id:024x}"),
                number => format!("{id:024x}-{number}"),
            };
            let side = match id % 100 {
                0..70 => "train",
                70..85 => "validation",
                _ => "holdout",
            };
            let line = match side {
                "holdout" => format!("{name},{label},{text}\n"),
                _ => format!("{label},{text}\n"),
            };
            *sides.entry(side).or_default() += &line;
            match side {
                "train" => {
                    *sides.entry("raw").or_default() += &format!("{text}\n");
                    labels.push(label);
                    for (column, word) in config.schema.columns.iter().zip(raw) {
                        if column.kind == ColumnType::Category {
                            let known: &mut BTreeMap<String, u32> = words.entry(column.name.as_str()).or_default();
                            *known.entry(word).or_default() += 1;
                        }
                    }
                }
                "holdout" => held_out.push(label),
                _ => {}
            }
        }
    }
    if labels.is_empty() || held_out.is_empty() {
        return Err("AlgorithmError: TooFewRows: no row is left for a side".to_owned());
    }
    let features = features(&config, &words)?;
    for (side, text) in &sides {
        let name = if *side == "raw" { "train" } else { side };
        write(&output.join(side).join(format!("{name}.csv")), text.as_bytes())?;
    }
    for archive in ["transformer.tar.gz", "normaliser.tar.gz"] {
        write(&output.join("features").join(archive), b"{}")?;
    }
    let rows = |side: &str| sides[side].lines().count();
    labels.sort_by(f64::total_cmp);
    let median = labels[labels.len() / 2];
    let squares: f64 = held_out.iter().map(|it| (it - median).powi(2)).sum();
    let rmse = (squares / held_out.len() as f64).sqrt();
    let mean = labels.iter().sum::<f64>() / labels.len() as f64;
    let deviation = labels.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / labels.len() as f64;
    let summary = json!({
        "rows": {
            "read": read, "duplicates": duplicates,
            "train": rows("train"), "validation": rows("validation"), "holdout": rows("holdout"),
        },
        "dropped": dropped, "values_made_missing": {}, "absent_columns": [],
        "feature_count": features, "feature_names": columns,
        "bytes_per_row": {"raw": 20, "encoded": 20},
        "label": {
            "min": labels[0], "max": labels[labels.len() - 1], "mean": mean, "median": median, "std": deviation.sqrt(),
        },
        "baseline": {"group_by": [], "median": median, "rmse": rmse, "rmse_of_median": rmse},
    });
    write(&output.join("summary/summary.json"), summary.to_string().as_bytes())
}

/// The rows whose target is within its rules. A dropped file that loses too many rows is refused.
fn within_rules(
    path: &Path,
    rows: Vec<Row>,
    config: &UseCase,
    dropped: &mut BTreeMap<String, usize>,
) -> Result<Vec<Row>, String> {
    let target = &config.target.name;
    let rules = config.cleaning.rules.iter().filter(|rule| rule.column == *target);
    let rules: Vec<_> = rules.collect();
    let outside = |row: &Row| {
        let value: f64 = row.get(target)?.parse().ok()?;
        rules.iter().find_map(|rule| {
            let low = rule.min.filter(|low| value < *low).map(|it| ("below", "min", it));
            low.or_else(|| rule.max.filter(|high| value > *high).map(|it| ("above", "max", it)))
        })
    };
    let (all, mut lost) = (rows.len(), BTreeMap::new());
    let mut kept = Vec::new();
    for row in rows {
        match outside(&row) {
            Some((side, bound, limit)) => {
                let (count, _) = lost.entry(format!("a {target} {side} {limit}")).or_insert_with(|| {
                    (
                        0,
                        format!("change `{bound}: {limit}` of `{target}` in `cleaning.rules`"),
                    )
                });
                *count += 1;
            }
            None => kept.push(row),
        }
    }
    let many = (all - kept.len()) as f64 > config.cleaning.max_dropped * all as f64;
    if let Some((reason, (count, advice))) = lost.iter().max_by_key(|(_, (count, _))| *count)
        && many
        && !is_own(path)
    {
        let (file, lost) = (path.file_name().unwrap_or_default().display(), all - kept.len());
        return Err(format!(
            "AlgorithmError: TooManyDropped: {file}: {lost} of {all} rows would not be trained on: {count} have {reason}. If \
             such values are real, {advice}"
        ));
    }
    for (reason, (count, _)) in lost {
        *dropped.entry(reason).or_default() += count;
    }
    Ok(kept)
}

/// Whether the platform itself has written the file.
fn is_own(path: &Path) -> bool {
    path.parent().is_some_and(|it| it.ends_with("labelled"))
}

/// How many features the columns make.
fn features(config: &UseCase, words: &BTreeMap<&str, BTreeMap<String, u32>>) -> Result<usize, String> {
    let limits = &config.features;
    let width = |column: &Column| match words.get(column.name.as_str()) {
        Some(known) => {
            let common = known.values().filter(|count| **count >= limits.rare_below).count();
            common.min(limits.max_categories as usize)
        }
        None => 1,
    };
    let total = config.schema.columns.iter().map(width).sum();
    if total > MOST_FEATURES {
        return Err(format!(
            "AlgorithmError: TooManyFeatures: the columns make {total} features, and a model takes at most {MOST_FEATURES}"
        ));
    }
    Ok(total)
}

/// The rows of a file, with numbers as the platform writes them and missing values empty.
fn rows(path: &Path, config: &UseCase) -> Result<Vec<Row>, String> {
    // Files that the platform has written are in its own format.
    let input = if is_own(path) {
        Input::default()
    } else {
        config.input.clone()
    };
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let mut rows = match Kind::of(&bytes) {
        Kind::Parquet => parquet_rows(bytes)?,
        _ => csv_rows(&bytes, &input, config.drops.max_bytes)?,
    };
    let numbers = Numbers::new(&input);
    let label = (config.target.name.as_str(), ColumnType::Number, None);
    let columns = config.schema.columns.iter();
    let columns = columns.map(|it| {
        (
            it.name.as_str(),
            it.kind,
            it.categories.as_ref().filter(|words| !words.open),
        )
    });
    for (name, kind, closed) in columns.chain([label]) {
        let (mut values, mut unreadable) = (0, Vec::new());
        for value in rows.iter_mut().filter_map(|row| row.get_mut(name)) {
            if numbers.is_missing(value) {
                value.clear();
                continue;
            }
            values += 1;
            let read = match kind {
                ColumnType::Integer | ColumnType::Number => numbers.read(value).map(|number| number.to_string()),
                ColumnType::Category if closed.is_some_and(|it| !it.values.contains(value)) => None,
                ColumnType::Category | ColumnType::Boolean => Some(value.clone()),
            };
            if read.is_none() {
                unreadable.push(value.clone());
            }
            *value = read.unwrap_or_default();
        }
        if unreadable.len() as f64 > config.cleaning.max_unreadable * f64::from(values) {
            let (file, example) = (path.file_name().unwrap_or_default().display(), &unreadable[0]);
            let advice = match closed {
                Some(_) => "add them to `categories.values`, or say `open: true`",
                None => "add `input: { decimal: \",\" }` to the document",
            };
            return Err(format!(
                "AlgorithmError: UnreadableValues: {file}: {} of {values} values of `{name}` don't read (`{example}`): {advice}",
                unreadable.len()
            ));
        }
    }
    Ok(rows)
}

fn csv_rows(bytes: &[u8], input: &Input, most_bytes: u64) -> Result<Vec<Row>, String> {
    let text = TextStream::new(input.encoding, most_bytes).text(bytes, true);
    let text = text.map_err(|error| format!("AlgorithmError: UnreadableInput: {error}"))?;
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader
        .flexible(true)
        .delimiter(u8::try_from(input.delimiter).unwrap_or(b','))
        .from_reader(text.as_slice());
    let rows = reader.deserialize::<Row>();
    rows.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

fn parquet_rows(bytes: Vec<u8>) -> Result<Vec<Row>, String> {
    let unreadable = |error: parquet::errors::ParquetError| format!("AlgorithmError: UnreadableInput: {error}");
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).map_err(unreadable)?;
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).map_err(unreadable)? {
        let row = row.map_err(unreadable)?;
        let fields = row.get_column_iter();
        let plain = |text: String| text.trim_matches('"').to_owned();
        rows.push(
            fields
                .map(|(name, field)| (name.clone(), plain(field.to_string())))
                .collect(),
        );
    }
    Ok(rows)
}
