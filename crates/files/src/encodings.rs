//! Detection and decoding of character encodings.

use contracts::use_case::Encoding;
use encoding_rs::{UTF_16BE, UTF_16LE};

/// Bytes that are letters of Central European languages in cp1250, and signs that don't occur in words in cp1252.
const CENTRAL: &[u8] = b"\xb9\xb3\xbf\x9c\x9f\xa5\xa3\x8c\x8f\xaf\x9e\x9a\xec\xf8\xf9";
/// Number of bytes that are searched for the NULs of UTF-16.
const START_BYTES: usize = 64;

/// The byte order of UTF-16 text, detected by its byte order mark or by the NULs of its ASCII letters; `None` for other
/// text.
pub fn utf_16(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    if head.starts_with(b"\xff\xfe") {
        return Some(UTF_16LE);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(UTF_16BE);
    }
    let start = &head[..head.len().min(START_BYTES)];
    let nuls = |at: usize| start.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (nuls(0), nuls(1), start.len() / 2);
    match pairs >= 2 {
        true if odd * 2 > pairs && even == 0 => Some(UTF_16LE),
        true if even * 2 > pairs && odd == 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether bytes are UTF-32 text, detected by its byte order mark. One of the two marks begins with that of UTF-16.
pub fn utf_32(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff")
}

/// Whether bytes may be text in UTF-8. The head may end within a character.
pub fn maybe_utf_8(head: &[u8]) -> bool {
    std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Whether bytes are certainly UTF-8 text: valid, and with other characters than those that all encodings share.
pub fn certainly_utf_8(head: &[u8]) -> bool {
    match std::str::from_utf8(head) {
        Ok(text) => !text.is_ascii(),
        // The head may end within a character.
        Err(error) => error.error_len().is_none() && !head[..error.valid_up_to()].is_ascii(),
    }
}

/// The most likely encoding of bytes that are not UTF-8.
pub fn likely_encoding(text: &[u8]) -> Encoding {
    let in_word = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let words = text
        .split(|byte| !in_word(byte))
        .filter(|word| word.len() > 1 && !word.is_ascii());
    let (mut all, mut central) = (0, 0);
    for word in words {
        all += 1;
        central += usize::from(word.iter().any(|byte| CENTRAL.contains(byte)));
    }
    if central * 3 > all {
        Encoding::Cp1250
    } else {
        Encoding::Cp1252
    }
}

/// The decoder of an encoding; `None` for ISO 8859-1, in which each byte is the code of its character.
pub(crate) fn decoder(encoding: Encoding, head: &[u8]) -> Option<encoding_rs::Decoder> {
    let of = match encoding {
        Encoding::Latin1 => return None,
        Encoding::Utf8 => encoding_rs::UTF_8,
        Encoding::Utf16 => utf_16(head).unwrap_or(UTF_16LE),
        Encoding::Latin2 => encoding_rs::ISO_8859_2,
        Encoding::Cp1250 => encoding_rs::WINDOWS_1250,
        Encoding::Cp1251 => encoding_rs::WINDOWS_1251,
        Encoding::Cp1252 => encoding_rs::WINDOWS_1252,
        Encoding::Cp1253 => encoding_rs::WINDOWS_1253,
        Encoding::Cp1254 => encoding_rs::WINDOWS_1254,
        Encoding::Cp1257 => encoding_rs::WINDOWS_1257,
    };
    Some(of.new_decoder_with_bom_removal())
}

/// The first bytes of a file as text, without a byte order mark and without a character that is cut off at the end. The
/// error is the offset of the first invalid byte.
pub fn decode_head(head: &[u8], cut: bool, encoding: Encoding) -> Result<String, usize> {
    if encoding == Encoding::Utf8 {
        let text = match std::str::from_utf8(head) {
            Ok(text) => text,
            // The head is valid up to this offset.
            Err(error) if cut && error.error_len().is_none() => {
                std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) => return Err(error.valid_up_to()),
        };
        return Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned());
    }
    let Some(mut decoder) = decoder(encoding, head) else {
        return Ok(head.iter().map(|byte| char::from(*byte)).collect());
    };
    let most = decoder.max_utf8_buffer_length_without_replacement(head.len());
    let mut text = String::with_capacity(most.unwrap_or(head.len() * 3));
    match decoder.decode_to_string_without_replacement(head, &mut text, !cut) {
        (encoding_rs::DecoderResult::Malformed(..), read) => Err(read),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_encoding_is_read() {
        let bytes = b"\xb9\xea,\xf1";
        assert_eq!(decode_head(bytes, true, Encoding::Cp1250).unwrap(), "ąę,ń");
        assert_eq!(decode_head(bytes, true, Encoding::Latin1).unwrap(), "¹ê,ñ");
        assert_eq!(decode_head(b"\xff\xfea\0b\0", false, Encoding::Utf16).unwrap(), "ab");
        assert_eq!(decode_head(b"\0a\0b\0c", true, Encoding::Utf16).unwrap(), "abc");
        assert_eq!(decode_head("\u{feff}a".as_bytes(), true, Encoding::Utf8).unwrap(), "a");
        assert_eq!(decode_head(b"ab\xb9c", true, Encoding::Utf8), Err(2));
    }

    #[test]
    fn encodings_are_guessed_by_their_letters() {
        let (polish, ..) = encoding_rs::WINDOWS_1250.encode("Łódź, Kraków, żółty, płatność");
        assert_eq!(likely_encoding(&polish), Encoding::Cp1250);
        let (western, ..) = encoding_rs::WINDOWS_1252.encode("Citroën, Müller, Señor, Garçon");
        assert_eq!(likely_encoding(&western), Encoding::Cp1252);
        assert!(certainly_utf_8("żółw".as_bytes()) && !certainly_utf_8(&polish) && !certainly_utf_8(b"turtle"));
    }

    #[test]
    fn utf_16_is_told_without_its_mark() {
        assert_eq!(utf_16(b"i\0d\0,\0a\0"), Some(UTF_16LE));
        assert_eq!(utf_16(b"\0i\0d\0,\0a"), Some(UTF_16BE));
        assert_eq!(utf_16(b"id,a"), None);
        assert!(utf_32(b"\xff\xfe\0\0i\0\0\0") && !utf_32(b"\xff\xfei\0"));
    }
}
