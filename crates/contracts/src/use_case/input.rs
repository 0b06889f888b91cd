//! What dropped files look like: `input` in the document. Requests of the API are not files: they stay as they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How dropped files are written: for training, for scoring, and as ground truth. Compression needs no word: gzip and
/// zstd are known by their first bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// CSV, Parquet, or whichever of the two a file is.
    pub format: Format,
    /// What separates the fields of CSV: one character of ASCII, as `;` or `"\t"`.
    pub delimiter: char,
    /// What separates a number's whole part from its fraction: `.` or `,`.
    pub decimal: char,
    /// What groups a number's digits by three, `,` `.` `'` or a space; numbers with it don't read when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// How characters are written as bytes.
    pub encoding: Encoding,
    /// What a field without a value says, beside nothing, `NA`, `N/A`, `NaN` and `null`.
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
    /// What a file's first bytes say.
    #[default]
    Auto,
    /// CSV alone.
    Csv,
    /// Parquet alone.
    Parquet,
}

/// How characters are written as bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with a byte order mark or without.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16 of either byte order.
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
    /// The word of the document.
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
