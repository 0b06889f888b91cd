//! Quotes around the fields of a CSV line.

use std::borrow::Cow;

/// A field without the quotes around it.
pub(crate) fn unquoted(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = field.strip_prefix(b"\"") else {
        return Cow::Borrowed(field);
    };
    // Text after a closing quote belongs to the field, as in other readers.
    let mut value = Vec::with_capacity(inner.len());
    let mut rest = inner;
    let mut quoted = true;
    while let Some(at) = memchr::memchr(b'"', rest) {
        value.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if quoted && rest.first() == Some(&b'"') {
            value.push(b'"');
            rest = &rest[1..];
        } else if quoted {
            quoted = false;
        } else {
            value.push(b'"');
        }
    }
    value.extend_from_slice(rest);
    Cow::Owned(value)
}
