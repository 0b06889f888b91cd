//! Detection of a file's format by its name and its first bytes, if none is given.

use super::blocks;
use super::error::Error;
use super::{Format, OutputPosition, files};
use std::io::Read;
use std::path::Path;

/// Number of bytes at the beginning that are examined.
const LOOKED_AT: u64 = 64 << 10;

impl Format {
    /// The format of a file, or of the first file of a folder. CSV is assumed to have a header; its delimiter is the
    /// one of `,`, `;`, tabulator and `|` that is most frequent in the first line.
    ///
    /// # Errors
    /// There is no file, or it can't be read.
    pub fn detect(path: &Path) -> Result<Self, Error> {
        let all = files::list(path)?;
        let first = all.first().map_or(path, |it| it.as_path());
        let mut head = Vec::new();
        blocks::open(first, std::sync::Arc::default())
            .and_then(|file| file.take(LOOKED_AT).read_to_end(&mut head))
            .map_err(|error| Error::file(first, &error))?;
        if head.starts_with(b"PAR1") {
            return Ok(Self::Parquet);
        }
        let name = first
            .file_name()
            .map(|it| it.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let name = name
            .strip_suffix(".gz")
            .or_else(|| name.strip_suffix(".zst"))
            .unwrap_or(&name);
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let line = text
            .split(|it| *it == b'\n')
            .find(|it| !it.trim_ascii().is_empty())
            .unwrap_or_default();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "parquet" => return Ok(Self::Parquet),
            "csv" => return Ok(csv(line)),
            "tsv" => {
                return Ok(Self::Csv {
                    header: true,
                    delimiter: b'\t',
                });
            }
            _ => {}
        }
        let object = line.trim_ascii_start().starts_with(b"{");
        if object && memchr::memmem::find(line, b"\"captureData\"").is_some() {
            return Ok(Self::captured());
        }
        if object || matches!(extension, "jsonl" | "ndjson" | "json") {
            return Ok(Self::JsonLines);
        }
        Ok(csv(line))
    }

    /// Captured data of an endpoint or of batch transform, input and output.
    pub fn captured() -> Self {
        let all = [
            "endpointInput",
            "endpointOutput",
            "batchTransformInput",
            "batchTransformOutput",
        ];
        Self::Capture {
            index_names: all.map(str::to_owned).to_vec(),
            output_position: OutputPosition::Start,
            names: None,
        }
    }
}

fn csv(line: &[u8]) -> Format {
    let mut best = (0, b',');
    for delimiter in [b',', b';', b'\t', b'|'] {
        let mut in_quotes = false;
        let count = line
            .iter()
            .filter(|it| {
                in_quotes ^= **it == b'"';
                !in_quotes && **it == delimiter
            })
            .count();
        if count > best.0 {
            best = (count, delimiter);
        }
    }
    Format::Csv {
        header: true,
        delimiter: best.1,
    }
}
