//! Detection of a file's kind by its first bytes.

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, as far as its first bytes tell.
    Text,
    /// Compressed with gzip.
    Gzip,
    /// Compressed with zstd.
    Zstd,
    /// A Parquet file.
    Parquet,
    /// A file that can't be read as a table; says what it is instead.
    Foreign(&'static str),
}

const FOREIGN: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "a zip archive (an Excel workbook is one)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"%PDF-", "a PDF"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1\0\0", "an Arrow file"),
    (b"SQLite format 3\0", "an SQLite database"),
];

impl Kind {
    /// The kind of a file that begins with `head`.
    pub fn of(head: &[u8]) -> Self {
        if head.starts_with(b"\x1f\x8b") {
            return Self::Gzip;
        }
        if head.starts_with(b"\x28\xb5\x2f\xfd") {
            return Self::Zstd;
        }
        if head.starts_with(b"PAR1") {
            return Self::Parquet;
        }
        if head.get(257..262) == Some(b"ustar") {
            return Self::Foreign("a tar archive");
        }
        let foreign = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic));
        foreign.map_or(Self::Text, |(_, kind)| Self::Foreign(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        for (head, kind) in [
            (&b"year,price\n"[..], Kind::Text),
            (b"", Kind::Text),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"\x28\xb5\x2f\xfd", Kind::Zstd),
            (b"PAR1", Kind::Parquet),
            (b"BZh91AY", Kind::Foreign("compressed with bzip2")),
        ] {
            assert_eq!(Kind::of(head), kind);
        }
    }
}
