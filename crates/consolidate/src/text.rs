//! Numbers, JSON texts, and where a piece of a file may end.

/// A decimal number, with or without sign, fraction and exponent, that a double can hold.
pub fn number(text: &str) -> Option<f64> {
    // Of what the standard library reads, these are no numbers of an answer: `inf`, `nan`, `infinity`.
    let plain = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// A JSON text.
pub fn json_text(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing a text into memory can't fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Behind the last line of `text` that is whole: one that ends outside of quotes, where those count.
pub fn whole_lines(text: &[u8], quotes: bool) -> usize {
    if !quotes || !text.contains(&b'"') {
        return memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    }
    let (mut open, mut end) = (false, 0);
    for at in memchr::memchr2_iter(b'\n', b'"', text) {
        if text[at] == b'"' {
            open = !open;
        } else if !open {
            end = at + 1;
        }
    }
    end
}
