//! The bytes of a file, piece by piece, converted to UTF-8 text.

use crate::{Kind, encodings};
use contracts::use_case::Encoding;
use flate2::write::MultiGzDecoder;
use std::io::{Read, Write};

/// Why the bytes of a file can't be converted to text. Its message continues `The file x.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It can't be decompressed.
    Compression(String),
    /// It is larger than allowed once decompressed.
    TooLarge,
    /// It is not a table.
    Kind(Kind),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Compression(reason) => write!(f, "can't be decompressed: {reason}"),
            Self::TooLarge => f.write_str("is larger than `drops.max_bytes` once decompressed"),
            Self::Kind(Kind::Foreign(kind)) => write!(f, "is {kind}"),
            Self::Kind(kind) => write!(f, "is {kind:?}, which is not read here"),
        }
    }
}

/// The first `most` bytes of a compressed file's content, as far as they can be decompressed from `head`, the file's
/// first bytes, and whether they are the whole content.
pub fn decompressed_head(head: &[u8], kind: Kind, most: usize) -> Result<(Vec<u8>, bool), Broken> {
    let broken = |error: std::io::Error| Broken::Compression(error.to_string());
    let mut reader: Box<dyn Read + '_> = match kind {
        Kind::Gzip => Box::new(flate2::read::MultiGzDecoder::new(head)),
        Kind::Zstd => Box::new(zstd::Decoder::with_buffer(head).map_err(broken)?),
        _ => Box::new(head),
    };
    let (mut text, mut piece) = (Vec::new(), [0; 8192]);
    while text.len() < most {
        match reader.read(&mut piece) {
            Ok(0) => return Ok((text, true)),
            Ok(read) => text.extend_from_slice(&piece[..read]),
            // `head` ends before the compressed data does.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok((text, false)),
            Err(error) => return Err(broken(error)),
        }
    }
    text.truncate(most);
    Ok((text, false))
}

enum Unpacked {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Vec<u8>>>),
}

/// A file that is being read. Bytes that are no text become U+FFFD, so that their row can be reported.
pub struct TextStream {
    encoding: Encoding,
    unpacked: Option<Unpacked>,
    decoder: Option<encoding_rs::Decoder>,
    left: u64,
}

impl TextStream {
    /// A stream for a file in that encoding with at most `max_bytes` after decompression.
    pub fn new(encoding: Encoding, max_bytes: u64) -> Self {
        Self {
            encoding,
            unpacked: None,
            decoder: None,
            left: max_bytes,
        }
    }

    /// Converts the next bytes to text. UTF-8 is passed through unchanged.
    ///
    /// # Errors
    /// [`Broken`]; nothing more can be read after that.
    pub fn text(&mut self, bytes: &[u8], ended: bool) -> Result<Vec<u8>, Broken> {
        let broken = |error: std::io::Error| Broken::Compression(error.to_string());
        let first = self.unpacked.is_none();
        if first {
            self.unpacked = Some(match Kind::of(bytes) {
                Kind::Text => Unpacked::Plain,
                Kind::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
                Kind::Zstd => {
                    let decoder = zstd::stream::write::Decoder::new(Vec::new()).map_err(broken)?;
                    Unpacked::Zstd(Box::new(decoder))
                }
                kind => return Err(Broken::Kind(kind)),
            });
        }
        let mut out = Vec::new();
        // In small pieces, because a compressed kilobyte may expand to megabytes.
        for piece in bytes.chunks(1 << 16) {
            let unpacked = match &mut self.unpacked {
                Some(Unpacked::Gzip(decoder)) => {
                    decoder.write_all(piece).map_err(broken)?;
                    std::mem::take(decoder.get_mut())
                }
                Some(Unpacked::Zstd(decoder)) => {
                    decoder.write_all(piece).map_err(broken)?;
                    std::mem::take(decoder.get_mut())
                }
                _ => piece.to_vec(),
            };
            self.decode(unpacked, false, &mut out)?;
        }
        if ended {
            let rest = match &mut self.unpacked {
                Some(Unpacked::Gzip(decoder)) => {
                    decoder.try_finish().map_err(broken)?;
                    std::mem::take(decoder.get_mut())
                }
                Some(Unpacked::Zstd(decoder)) => {
                    decoder.flush().map_err(broken)?;
                    std::mem::take(decoder.get_mut())
                }
                _ => Vec::new(),
            };
            self.decode(rest, true, &mut out)?;
        }
        Ok(out)
    }

    fn decode(&mut self, bytes: Vec<u8>, ended: bool, out: &mut Vec<u8>) -> Result<(), Broken> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(Broken::TooLarge)?;
        if self.encoding == Encoding::Utf8 {
            out.extend(bytes);
            return Ok(());
        }
        if self.decoder.is_none() && self.encoding != Encoding::Latin1 {
            if bytes.is_empty() {
                return Ok(());
            }
            self.decoder = encodings::decoder(self.encoding, &bytes);
        }
        let mut text = String::new();
        match &mut self.decoder {
            Some(decoder) => {
                text.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3));
                // The text has enough capacity for everything.
                let _ = decoder.decode_to_string(&bytes, &mut text, ended);
            }
            None => text.extend(bytes.iter().map(|byte| char::from(*byte))),
        }
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    fn read(encoding: Encoding, bytes: &[u8], max_bytes: u64, step: usize) -> Result<String, Broken> {
        let (mut stream, mut all) = (TextStream::new(encoding, max_bytes), Vec::new());
        for piece in bytes.chunks(step) {
            all.extend(stream.text(piece, false)?);
        }
        all.extend(stream.text(b"", true)?);
        Ok(String::from_utf8(all).unwrap())
    }

    #[test]
    fn text_is_read_in_pieces_of_any_size() {
        let text = "id,cena\nżółw,12\n".repeat(500);
        let (polish, ..) = encoding_rs::WINDOWS_1250.encode(&text);
        let wide: Vec<u8> = std::iter::once(0xfeff)
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
        for step in [64, 1000, 1 << 20] {
            assert_eq!(read(Encoding::Cp1250, &polish, 1 << 20, step).unwrap(), text);
            assert_eq!(read(Encoding::Cp1250, &gzip(&polish), 1 << 20, step).unwrap(), text);
            assert_eq!(read(Encoding::Utf16, &wide, 1 << 20, step).unwrap(), text);
            assert_eq!(read(Encoding::Utf8, &zstd, 1 << 20, step).unwrap(), text);
        }
        assert_eq!(read(Encoding::Latin1, b"\xe9", 9, 1).unwrap(), "é");
    }

    #[test]
    fn what_can_not_be_read_is_said() {
        assert_eq!(
            read(Encoding::Utf8, &gzip(&[b'a'; 5000]), 4999, 10).unwrap_err(),
            Broken::TooLarge
        );
        let cut = gzip(&[b'a'; 5000]);
        assert!(matches!(
            read(Encoding::Utf8, &cut[..cut.len() - 9], 5000, 1000).unwrap_err(),
            Broken::Compression(_)
        ));
        assert_eq!(
            read(Encoding::Utf8, b"PAR1", 9, 9).unwrap_err(),
            Broken::Kind(Kind::Parquet)
        );
    }

    #[test]
    fn heads_are_decompressed_as_far_as_they_go() {
        let text = "id,price\n".repeat(1000);
        let packed = gzip(text.as_bytes());
        let (all, whole) = decompressed_head(&packed, Kind::Gzip, 1 << 20).unwrap();
        assert!(whole && all == text.as_bytes());
        let (some, whole) = decompressed_head(&packed[..packed.len() - 9], Kind::Gzip, 1 << 20).unwrap();
        assert!(!whole && text.as_bytes().starts_with(&some));
        let (some, whole) = decompressed_head(&packed, Kind::Gzip, 10).unwrap();
        assert_eq!((some.as_slice(), whole), (&b"id,price\ni"[..], false));
    }
}
