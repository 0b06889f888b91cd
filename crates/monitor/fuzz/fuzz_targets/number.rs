//! `number::read`: never reads beyond the value, and agrees with a literal implementation of the reference's patterns.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::profile::number::{PADDING, Value, read};

/// `^(-|\+)? ?\d+((\.\d+)|((?:\.\d+)?[Ee][-+]?\d+))$` is `Some(true)`, `^(-|\+)? ?\d+$` is `Some(false)`.
fn matches(value: &[u8]) -> Option<bool> {
    let digits = |at: usize| {
        let end = (at..value.len())
            .find(|it| !value[*it].is_ascii_digit())
            .unwrap_or(value.len());
        (end > at).then_some(end)
    };
    let mut at = usize::from(matches!(value.first(), Some(b'-' | b'+')));
    at += usize::from(value.get(at) == Some(&b' '));
    at = digits(at)?;
    if at == value.len() {
        return Some(false);
    }
    if value[at] == b'.' {
        at = digits(at + 1)?;
        if at == value.len() {
            return Some(true);
        }
    }
    if !matches!(value[at], b'e' | b'E') {
        return None;
    }
    at += 1;
    at += usize::from(matches!(value.get(at), Some(b'-' | b'+')));
    (digits(at)? == value.len()).then_some(true)
}

fn expected(value: &[u8]) -> Value {
    if value == b"true" || value == b"false" {
        return Value::Boolean;
    }
    let Some(fractional) = matches(value) else {
        return Value::Text;
    };
    let text = std::str::from_utf8(value).unwrap();
    // A space at the beginning is trimmed; one after a sign doesn't belong to a number.
    let text = text.strip_prefix(' ').unwrap_or(text);
    if text.contains(' ') {
        return Value::Spaced(fractional);
    }
    let number: f64 = text.parse().unwrap();
    match (fractional, text.parse::<i128>()) {
        (true, _) => Value::Fractional(number),
        (false, Ok(whole)) if i64::try_from(whole).is_ok() => Value::Integral(number),
        (false, Err(_)) if text.parse::<i64>().is_ok() => unreachable!(),
        (false, _) => Value::Wide(number),
    }
}

fuzz_target!(|data: &[u8]| {
    // The bytes around a value must not matter.
    let [around, value @ ..] = data else {
        return;
    };
    let expected = expected(value);
    for before in [0, 1, 7] {
        let mut text = vec![*around; before];
        text.extend_from_slice(value);
        text.resize(text.len() + PADDING, *around);
        let found = read(&text, before, before + value.len());
        // As texts, 0.0 and -0.0 differ.
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }
});
