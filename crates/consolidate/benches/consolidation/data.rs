//! The captures, generated from a seed, so that all peers read the same data.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use contracts::RunId;
use contracts::monitoring::{SourceFile, Sources};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Approximate size at which a capture file is closed, in bytes.
const FILE_BYTES: u64 = 64_000_000;

const COLUMNS: [&str; 12] = [
    "year",
    "manufacturer",
    "condition",
    "cylinders",
    "fuel",
    "odometer",
    "title_status",
    "transmission",
    "drive",
    "type",
    "paint_color",
    "state",
];

/// Values of the columns that are not numeric; an empty one means missing.
const VALUES: [(&str, &[&str]); 10] = [
    (
        "manufacturer",
        &[
            "ford",
            "chevrolet",
            "toyota",
            "honda",
            "mercedes-benz",
            "nissan",
            "jeep",
            "ram",
            "",
        ],
    ),
    ("condition", &["good", "excellent", "like new", "fair", "", ""]),
    ("cylinders", &["4 cylinders", "6 cylinders", "8 cylinders", "", ""]),
    ("fuel", &["gas", "gas", "gas", "diesel", "hybrid", "electric"]),
    (
        "title_status",
        &["clean", "clean", "clean", "rebuilt", "salvage", "lien"],
    ),
    ("transmission", &["automatic", "automatic", "manual", "other"]),
    ("drive", &["4wd", "fwd", "rwd", ""]),
    (
        "type",
        &["sedan", "SUV", "pickup", "coupe", "truck", "hatchback", "wagon", ""],
    ),
    ("paint_color", &["white", "black", "silver", "grey", "blue", "red", ""]),
    ("state", &["ca", "tx", "fl", "ny", "oh", "wa", "or", "mi", "nc", "pa"]),
];

/// The generated captures, which every peer reads.
#[derive(Clone, Serialize, Deserialize)]
pub struct Captures {
    /// `sources.json` in the form that the function writes, but with local files.
    pub sources: PathBuf,
    /// Total size of the files in bytes.
    pub bytes: u64,
    /// Number of predicted rows.
    pub records: u64,
    /// Checksum over all rows of the raw columns and the prediction, independent of their order; see `check`.
    pub checksum: u64,
}

/// Generates the files, unless they exist already.
pub fn make(size: u64, root: &Path) -> Result<Captures> {
    let folder = root.join(format!("captures-{size}"));
    // Written last, so that an incomplete set of files isn't taken for a complete one.
    let marker = folder.join("captures.json");
    if let Ok(made) = std::fs::read(&marker) {
        return Ok(serde_json::from_slice(&made)?);
    }
    eprintln!("making {size} bytes of captures in {}", folder.display());
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut random = Random(20_261_122);
    let mut captures = Captures {
        sources: folder.join("sources.json"),
        bytes: 0,
        records: 0,
        checksum: 0,
    };
    let mut files = Vec::new();
    while captures.bytes < size {
        let path = folder.join(format!("{:03}.jsonl", files.len()));
        let limit = FILE_BYTES.min(size - captures.bytes);
        let bytes = write_file(&path, limit, &mut random, &mut captures)?;
        captures.bytes += bytes;
        files.push(SourceFile {
            uri: format!("file://{}", path.display()),
            bytes,
            last_modified: "2026-11-22T19:00:00Z".parse()?,
        });
    }
    let run = "20261120t000000z-ab12cd34";
    let sources = Sources {
        format: 1,
        model: "xgboost".to_owned(),
        champion: RunId::parse(run).context("no run id")?,
        endpoint_config: "drivetrain-used-car-price-xgboost-ab12cd34-conf-0".to_owned(),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        files,
    };
    std::fs::write(&captures.sources, serde_json::to_vec_pretty(&sources)?)?;
    std::fs::write(&marker, serde_json::to_vec_pretty(&captures)?)?;
    Ok(captures)
}

/// Writes requests until the file has reached a size, and returns its size.
fn write_file(path: &Path, limit: u64, random: &mut Random, captures: &mut Captures) -> Result<u64> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let (mut bytes, mut text, mut answers) = (0, String::new(), String::new());
    while bytes < limit {
        text.clear();
        answers.clear();
        let rows = 1 + random.below(20);
        for _ in 0..rows {
            let begin = text.len();
            row(random, &mut text)?;
            let price = random.below(60_000_000);
            let answer = format!("{}.{:03}", 1_000 + price / 1_000, price % 1_000);
            captures.checksum = captures
                .checksum
                .wrapping_add(crate::check::of_row(format!("{},{answer}", &text[begin..]).as_bytes()));
            text.push_str("\\n");
            writeln!(answers, "{answer}")?;
        }
        captures.records += rows;
        let (id, event) = (random.uuid(), random.uuid());
        let (hour, minute, second) = (18 + random.below(2), random.below(60), random.below(60));
        let line = format!(
            r#"{{"captureData":{{"endpointInput":{{"observedContentType":"text/csv","mode":"INPUT","data":"{text}","encoding":"CSV"}},"endpointOutput":{{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT","data":"{}","encoding":"BASE64"}}}},"eventMetadata":{{"eventId":"{event}","inferenceId":"{id}","inferenceTime":"2026-11-22T{hour}:{minute:02}:{second:02}Z"}},"eventVersion":"0"}}"#,
            BASE64_STANDARD.encode(&answers)
        );
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")?;
        bytes += line.len() as u64 + 1;
    }
    out.flush()?;
    Ok(bytes)
}

fn row(random: &mut Random, text: &mut String) -> Result<()> {
    for (number, column) in COLUMNS.into_iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        match VALUES.into_iter().find(|(name, _)| *name == column) {
            // The list is short.
            Some((_, values)) => text.push_str(values[usize::try_from(random.below(values.len() as u64))?]),
            None if column == "year" => write!(text, "{}", 1990 + random.below(33))?,
            None if random.below(20) > 0 => write!(text, "{}", random.below(250_000))?,
            None => {}
        }
    }
    Ok(())
}

/// Good enough to draw values: SplitMix64 of Steele et al.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn uuid(&mut self) -> String {
        let (one, two) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            one >> 32,
            one >> 16 & 0xffff,
            one & 0xfff,
            two >> 52,
            two & 0xffff_ffff_ffff
        )
    }
}
