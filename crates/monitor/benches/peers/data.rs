//! The data files: generated from a seed in every format, and written once. `columns` defines the columns.

use crate::columns::{Cell, Column, Kind, Random, cars, wide};
use crate::options::Options;
use anyhow::{Context, Result};
use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use clap::ValueEnum;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Part of the files' names: must be changed when the generator changes.
const GENERATION: u32 = 1;
const SEED: u64 = 20_261_122;
const ROW_GROUP: usize = 128 * 1024;
const SMALL: u64 = 400_000;

/// Format of a file.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Format {
    /// CSV with a header.
    Csv,
    /// Parquet with Snappy, and row groups of 128 k rows.
    Parquet,
    /// One object on each line; a missing field is null.
    Jsonl,
}

/// An existing file.
pub struct DataFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Format of the file.
    pub format: Format,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of rows, without the header.
    pub rows: u64,
    /// Number of columns.
    pub columns: usize,
    /// Share of the corresponding CSV file's rows that are in this file: less than 1 if it would become too large
    /// otherwise.
    pub share: f64,
}

impl DataFile {
    /// Title for headings and progress.
    pub fn title(&self) -> String {
        let format = match self.format {
            Format::Csv => "CSV",
            Format::Parquet => "Parquet",
            Format::Jsonl => "JSON lines",
        };
        #[allow(clippy::cast_precision_loss)]
        let bytes = self.bytes as f64;
        let size = if bytes < 1e7 {
            format!("{:.2} MB", bytes / 1e6)
        } else {
            format!("{:.2} GB", bytes / 1e9)
        };
        format!("{format} of {size}")
    }
}

/// The files that the options ask for, generated unless they exist.
pub fn make(options: &Options, folder: &Path) -> Result<Vec<DataFile>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let cars = cars();
    let mut files = Vec::new();
    if options.formats.contains(&Format::Csv) {
        files.push(file(folder, "cars", &cars, Format::Csv, Until::Bytes(SMALL))?);
    }
    // The other formats get the same number of rows as the CSV file.
    let csv = file(folder, "cars", &cars, Format::Csv, Until::Bytes(options.size))?;
    let rows = csv.rows;
    for format in &options.formats {
        files.push(match format {
            Format::Csv => file(folder, "cars", &cars, Format::Csv, Until::Bytes(options.size))?,
            Format::Parquet => file(folder, "cars", &cars, Format::Parquet, Until::Rows(rows))?,
            Format::Jsonl => {
                let mut json = file(folder, "cars", &cars, Format::Jsonl, Until::Bytes(options.size))?;
                #[allow(clippy::cast_precision_loss)]
                let share = json.rows as f64 / rows as f64;
                json.share = share;
                json
            }
        });
    }
    if options.large {
        files.push(file(folder, "wide", &wide(), Format::Csv, Until::Bytes(options.size))?);
        files.push(file(
            folder,
            "cars",
            &cars,
            Format::Csv,
            Until::Bytes(options.size.saturating_mul(5)),
        )?);
    }
    Ok(files)
}

/// Where a file ends.
#[derive(Clone, Copy)]
enum Until {
    /// After the row that reaches this size in bytes.
    Bytes(u64),
    /// After this number of rows.
    Rows(u64),
}

fn file(folder: &Path, name: &str, columns: &[Column], format: Format, until: Until) -> Result<DataFile> {
    let (extension, end) = match format {
        Format::Csv => ("csv", "bytes"),
        Format::Parquet => ("parquet", "rows"),
        Format::Jsonl => ("jsonl", "bytes"),
    };
    let (Until::Bytes(amount) | Until::Rows(amount)) = until;
    let path = folder.join(format!("{name}-{GENERATION}-{amount}-{end}.{extension}"));
    // Written last, so that an incomplete file isn't taken for a complete one.
    let marker = folder.join(format!("{name}-{GENERATION}-{amount}-{end}.{extension}.rows"));
    let known = std::fs::read_to_string(&marker)
        .ok()
        .and_then(|rows| rows.trim().parse::<u64>().ok());
    let rows = match known {
        Some(rows) if path.exists() => rows,
        _ => {
            eprint!("making {} … ", path.display());
            let started = Instant::now();
            let output = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            let rows = match format {
                Format::Parquet => write_parquet(&output, columns, amount),
                Format::Csv | Format::Jsonl => write_text(output, columns, format, amount),
            }
            .with_context(|| format!("cannot write {}", path.display()))?;
            std::fs::write(&marker, rows.to_string())?;
            eprintln!("{rows} rows in {:.1} s", started.elapsed().as_secs_f64());
            rows
        }
    };
    let bytes = std::fs::metadata(&path)?.len();
    Ok(DataFile {
        path,
        format,
        bytes,
        rows,
        columns: columns.len(),
        share: 1.0,
    })
}

fn write_text(output: File, columns: &[Column], format: Format, until: u64) -> Result<u64> {
    let mut output = BufWriter::with_capacity(1 << 20, output);
    let mut random = Random(SEED);
    let mut line = Vec::new();
    let mut written = 0;
    let mut rows = 0;
    if format == Format::Csv {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        writeln!(line, "{}", names.join(","))?;
    }
    loop {
        output.write_all(&line)?;
        written += line.len() as u64;
        if written >= until {
            break;
        }
        line.clear();
        for (number, column) in columns.iter().enumerate() {
            let cell = column.draw(&mut random, rows);
            if format == Format::Csv {
                if number > 0 {
                    line.push(b',');
                }
                cell.csv(&mut line)?;
            } else {
                write!(line, "{}\"{}\":", if number > 0 { "," } else { "{" }, column.name)?;
                cell.json(&mut line)?;
            }
        }
        line.extend_from_slice(if format == Format::Csv { b"\n" } else { b"}\n" });
        rows += 1;
    }
    output.flush()?;
    Ok(rows)
}

fn write_parquet(output: &File, columns: &[Column], rows: u64) -> Result<u64> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let mut random = Random(SEED);
    let mut writer = None;
    let mut done = 0;
    while done < rows {
        let mut builders: Vec<Builder> = columns.iter().map(Builder::new).collect();
        let until = rows.min(done + ROW_GROUP as u64);
        for row in done..until {
            for (column, builder) in columns.iter().zip(&mut builders) {
                builder.push(&column.draw(&mut random, row));
            }
        }
        let names = columns.iter().map(|column| column.name.as_str());
        // Every column may have missing values, whether or not this batch has any.
        let arrays = builders.into_iter().map(|builder| (builder.finish(), true));
        let batch = RecordBatch::try_from_iter_with_nullable(
            names.zip(arrays).map(|(name, (array, null))| (name, array, null)),
        )?;
        if writer.is_none() {
            writer = Some(ArrowWriter::try_new(
                output.try_clone()?,
                batch.schema(),
                Some(properties.clone()),
            )?);
        }
        if let Some(writer) = &mut writer {
            writer.write(&batch)?;
        }
        done = until;
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    Ok(done)
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Decimal(Float64Builder),
}

impl Builder {
    fn new(column: &Column) -> Self {
        match &column.kind {
            Kind::Text(..) => Self::Text(StringBuilder::new()),
            Kind::Serial | Kind::Number { digits: 0, .. } => Self::Integer(Int64Builder::new()),
            Kind::Number { .. } => Self::Decimal(Float64Builder::new()),
        }
    }

    fn push(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(&text.plain),
            (Self::Integer(builder), Cell::Number { units, .. }) => builder.append_value(*units),
            // Both are exact, so their quotient is the number that a reader of the text gets.
            #[allow(clippy::cast_precision_loss)]
            (Self::Decimal(builder), Cell::Number { units, digits }) => {
                builder.append_value(*units as f64 / 10_i64.pow(*digits) as f64);
            }
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Integer(builder), _) => builder.append_null(),
            (Self::Decimal(builder), _) => builder.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => Arc::new(builder.finish()),
            Self::Decimal(mut builder) => Arc::new(builder.finish()),
        }
    }
}
