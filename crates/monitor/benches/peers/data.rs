//! The data: used-car listings from a seed, in every format, written once.
//!
//! 20 columns: 11 of text (5 … 5,000 different values, some with commas, two of dates) and 9 of numbers. 2 % of the
//! fields are missing, but for the listing's number.

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

/// Part of the files' names: to change when the generator changes.
const GENERATION: u32 = 1;
const SEED: u64 = 20_261_122;
/// Of 1,000 fields.
const MISSING: u64 = 20;
const ROW_GROUP: usize = 128 * 1024;
const SMALL: u64 = 400_000;
const WIDE: usize = 500;

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Format {
    /// With a header.
    Csv,
    /// Snappy, row groups of 128 k rows.
    Parquet,
    /// One object a line; a missing field is null.
    Jsonl,
}

/// A file that is there.
pub struct DataFile {
    /// Where.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Its size.
    pub bytes: u64,
    /// Without the header.
    pub rows: u64,
    /// How many.
    pub columns: usize,
    /// Of the CSV file of the same rows, those that are here: less than 1 where the file would be too large.
    pub share: f64,
}

impl DataFile {
    /// For headings and progress.
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

/// The files that the options ask for, made unless they are there.
pub fn make(options: &Options, folder: &Path) -> Result<Vec<DataFile>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let cars = cars();
    let mut files = Vec::new();
    if options.formats.contains(&Format::Csv) {
        files.push(file(folder, "cars", &cars, Format::Csv, Until::Bytes(SMALL))?);
    }
    // The other formats are told how many rows the CSV file has.
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
    /// After the row that reaches this size.
    Bytes(u64),
    /// After so many rows.
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
    // Written last: half a file must not pass for a whole one.
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
        // Every column may lack values, whether or not this batch's do.
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
            // Both are exact, so the quotient is what a reader of the text gets.
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

/// A field.
enum Cell<'a> {
    Missing,
    Text(&'a Text),
    /// `units / 10^digits`.
    Number {
        units: i64,
        digits: u32,
    },
}

impl Cell<'_> {
    fn csv(&self, line: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Cell::Missing => Ok(()),
            Cell::Text(text) => line.write_all(text.csv.as_bytes()),
            Cell::Number { units, digits: 0 } => write!(line, "{units}"),
            Cell::Number { units, digits } => {
                let one = 10_u64.pow(*digits);
                let (sign, size) = (if *units < 0 { "-" } else { "" }, units.unsigned_abs());
                write!(
                    line,
                    "{sign}{}.{:0width$}",
                    size / one,
                    size % one,
                    width = *digits as usize
                )
            }
        }
    }

    fn json(&self, line: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Cell::Missing => line.write_all(b"null"),
            // No text needs an escape in JSON.
            Cell::Text(text) => write!(line, "\"{}\"", text.plain),
            number @ Cell::Number { .. } => number.csv(line),
        }
    }
}

/// A text as it is and as CSV has it.
struct Text {
    plain: String,
    csv: String,
}

fn texts(plain: impl IntoIterator<Item = String>) -> Vec<Text> {
    let text = |plain: String| {
        let csv = if plain.contains(',') {
            format!("\"{plain}\"")
        } else {
            plain.clone()
        };
        Text { plain, csv }
    };
    plain.into_iter().map(text).collect()
}

struct Column {
    name: String,
    kind: Kind,
}

/// What a column holds.
enum Kind {
    /// Numbers of rows.
    Serial,
    /// One of these.
    Text(Vec<Text>, Shape),
    /// Decimals from `low` to `high`, both in units of the last digit.
    Number {
        low: i64,
        high: i64,
        digits: u32,
        shape: Shape,
    },
}

/// How values are spread.
#[derive(Clone, Copy)]
enum Shape {
    /// All alike.
    Flat,
    /// Most in the middle.
    Bell,
    /// Most at the lower end.
    Skewed,
}

impl Column {
    fn draw(&self, random: &mut Random, row: u64) -> Cell<'_> {
        if !matches!(self.kind, Kind::Serial) && random.below(1000) < MISSING {
            return Cell::Missing;
        }
        match &self.kind {
            // Beyond 32 bits, as real ids are.
            Kind::Serial => Cell::Number {
                units: 7_300_000_000 + row.cast_signed() * 3,
                digits: 0,
            },
            Kind::Text(texts, shape) => Cell::Text(&texts[random.shaped(texts.len() as u64, *shape) as usize]),
            Kind::Number {
                low,
                high,
                digits,
                shape,
            } => {
                let drawn = random.shaped(high.abs_diff(*low) + 1, *shape);
                Cell::Number {
                    units: low + drawn.cast_signed(),
                    digits: *digits,
                }
            }
        }
    }
}

/// SplitMix64: small, fast, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `end`, exclusive; `end` is below 2^32.
    fn below(&mut self, end: u64) -> u64 {
        ((self.next() >> 32) * end) >> 32
    }

    fn shaped(&mut self, end: u64, shape: Shape) -> u64 {
        match shape {
            Shape::Flat => self.below(end),
            Shape::Bell => (self.below(end) + self.below(end) + self.below(end)) / 3,
            Shape::Skewed => {
                let top = self.below(end) + 1;
                self.below(top)
            }
        }
    }
}

/// The 20 columns.
fn cars() -> Vec<Column> {
    let makers = [
        "Abarth", "Borgward", "Citroen", "Daimler", "Edsel", "Fiat", "Glas", "Holden",
    ];
    let series = ["saloon", "estate", "coupe", "cabriolet", "van"];
    let model = |number: usize| {
        // Every fortieth has a comma, and so quotes in CSV.
        let comma = if number.is_multiple_of(40) { "," } else { "" };
        format!("{} {}{comma} {}", makers[number % 8], number / 8, series[number % 5])
    };
    let list = |names: &str| texts(names.split(' ').map(str::to_owned));
    let named = |stem: &str, end: usize| texts((0..end).map(|number| format!("{stem} {number:03}")));
    let text = |name: &str, values: Vec<Text>, shape| Column {
        name: name.to_owned(),
        kind: Kind::Text(values, shape),
    };
    let number = |name: &str, low, high, digits, shape| Column {
        name: name.to_owned(),
        kind: Kind::Number {
            low,
            high,
            digits,
            shape,
        },
    };
    let states = (0..50_u8).map(|state| format!("{}{}", char::from(b'A' + state % 26), char::from(b'A' + state / 2)));
    vec![
        Column {
            name: "listing_id".to_owned(),
            kind: Kind::Serial,
        },
        text("posted", dates(2024, 3), Shape::Flat),
        text("manufacturer", named("maker", 42), Shape::Skewed),
        text("model", texts((0..5000).map(model)), Shape::Skewed),
        number("year", 1990, 2026, 0, Shape::Bell),
        number("price", 0, 150_000, 0, Shape::Skewed),
        number("odometer_mi", 0, 300_000, 0, Shape::Bell),
        text(
            "condition",
            list("new excellent good fair salvage unknown"),
            Shape::Skewed,
        ),
        text("fuel", list("gas diesel hybrid electric other"), Shape::Skewed),
        text(
            "transmission",
            list("automatic manual semi-automatic cvt direct other"),
            Shape::Skewed,
        ),
        text(
            "colour",
            list("white black silver grey blue red green brown orange yellow purple custom"),
            Shape::Skewed,
        ),
        text("dealer", named("dealer", 2500), Shape::Flat),
        text(
            "city",
            texts((0..400).map(|city| format!("city {city}{}", if city % 50 == 0 { ", old town" } else { "" }))),
            Shape::Skewed,
        ),
        text("state", texts(states), Shape::Flat),
        text("registered", dates(2000, 12), Shape::Flat),
        number("owners", 1, 8, 0, Shape::Skewed),
        number("engine_l", 8, 65, 1, Shape::Bell),
        number("l_per_100km", 250, 2_500, 2, Shape::Bell),
        number("latitude", 18_000_000, 61_000_000, 6, Shape::Bell),
        number("longitude", -160_000_000, -66_000_000, 6, Shape::Flat),
    ]
}

/// 300 columns of decimals, 150 of integers, 50 of text, mixed.
fn wide() -> Vec<Column> {
    let column = |number: usize| {
        let kind = match number % 10 {
            0 => Kind::Text(
                texts((0..number + 5).map(|value| format!("value {value}"))),
                Shape::Skewed,
            ),
            1..4 => Kind::Number {
                low: -1000,
                high: 1_000_000,
                digits: 0,
                shape: Shape::Bell,
            },
            _ => Kind::Number {
                low: -50_000_000,
                high: 50_000_000,
                digits: 5,
                shape: Shape::Bell,
            },
        };
        Column {
            name: format!("c{number:03}"),
            kind,
        }
    };
    (0..WIDE).map(column).collect()
}

/// Every day of some years, but for the last of long months.
fn dates(from: u32, years: u32) -> Vec<Text> {
    let days = |year: u32| (1..=12).flat_map(move |month| (1..=28).map(move |day| (year, month, day)));
    let all = (from..from + years).flat_map(days);
    texts(all.map(|(year, month, day)| format!("{year}-{month:02}-{day:02}")))
}
