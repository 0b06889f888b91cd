//! Numbers, CSV fields, JSON texts, and where a piece of a file may end.

/// Parses a decimal number that fits a double, with optional sign, fraction and exponent.
pub fn number(text: &str) -> Option<f64> {
    // The standard library also accepts `inf`, `nan` and `infinity`, which are no valid answers.
    let plain = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// Appends a JSON string.
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

/// Appends a CSV field, quoted if it needs to be.
pub fn quoted(field: &str, out: &mut Vec<u8>) {
    let plain = |byte: u8| !matches!(byte, b'"' | b',' | b'\n' | b'\r');
    if field.bytes().all(plain) {
        out.extend_from_slice(field.as_bytes());
        return;
    }
    out.push(b'"');
    for part in field.split_inclusive('"') {
        out.extend_from_slice(part.as_bytes());
        if part.ends_with('"') {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

/// Offset after the last complete line of `text`. If `quotes` is set, a line is complete only when it ends outside of
/// quotes.
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
