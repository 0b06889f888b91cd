//! The format of dropped files: `input` in the document. It doesn't apply to requests of the API.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How dropped files are written: for training, for scoring, and as ground truth. Compression needs no setting: gzip
/// and zstd are recognised by their first bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// CSV, Parquet, or detection of which of the two a file is.
    pub format: Format,
    /// The separator of CSV fields: one ASCII character, such as `;` or `"\t"`.
    pub delimiter: char,
    /// The decimal mark of numbers: `.` or `,`.
    pub decimal: char,
    /// The mark that groups the digits of a number in threes: `,`, `.`, `'` or a space. If left out, numbers with such
    /// a mark can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// The character encoding.
    pub encoding: Encoding,
    /// What a field may contain to mean a missing value, besides nothing, `NA`, `N/A`, `NaN` and `null`.
    pub missing: Vec<String>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            format: Format::Auto,
            delimiter: ',',
            decimal: '.',
            thousands: None,
            encoding: Encoding::Utf8,
            missing: Vec::new(),
        }
    }
}

/// The format of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Detected by the first bytes of a file.
    #[default]
    Auto,
    /// Only CSV.
    Csv,
    /// Only Parquet.
    Parquet,
}

/// A character encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16 in either byte order.
    #[serde(rename = "utf-16")]
    Utf16,
    /// ISO 8859-1: Western Europe.
    #[serde(rename = "latin-1")]
    Latin1,
    /// ISO 8859-2: Central Europe.
    #[serde(rename = "latin-2")]
    Latin2,
    /// Windows, Central Europe.
    Cp1250,
    /// Windows, Cyrillic.
    Cp1251,
    /// Windows, Western Europe.
    Cp1252,
    /// Windows, Greek.
    Cp1253,
    /// Windows, Turkish.
    Cp1254,
    /// Windows, Baltic.
    Cp1257,
}

impl Encoding {
    /// Name of the encoding in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Latin1 => "latin-1",
            Self::Latin2 => "latin-2",
            Self::Cp1250 => "cp1250",
            Self::Cp1251 => "cp1251",
            Self::Cp1252 => "cp1252",
            Self::Cp1253 => "cp1253",
            Self::Cp1254 => "cp1254",
            Self::Cp1257 => "cp1257",
        }
    }
}
