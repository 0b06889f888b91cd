//! Checks of the format of dropped files.

use super::Found;
use crate::use_case::{Input, UseCase};

/// The characters that may group digits. A space also stands for the non-breaking space.
const THOUSANDS: [char; 4] = [',', '.', '\'', ' '];

pub(super) fn input(document: &UseCase, found: &mut Found) {
    let Input {
        delimiter,
        decimal,
        thousands,
        missing,
        ..
    } = &document.input;
    let punctuation = delimiter.is_ascii_punctuation() || matches!(delimiter, '\t' | ' ');
    if !punctuation || matches!(delimiter, '"' | '-' | '+' | '.' | '_') {
        found.add(
            "input.delimiter",
            "must be one ASCII character that occurs neither in numbers nor in names: `,`, `;`, `|` or `\"\\t\"`",
        );
    }
    if !matches!(decimal, '.' | ',') {
        found.add("input.decimal", "must be `.` or `,`");
    }
    if let Some(thousands) = thousands {
        if !THOUSANDS.contains(thousands) {
            found.add("input.thousands", "must be `,`, `.`, `'` or a space");
        } else if thousands == decimal {
            found.add("input.thousands", format!("`{thousands}` is the decimal mark already"));
        }
    }
    for (position, word) in missing.iter().enumerate() {
        if word.trim().is_empty() {
            found.add(
                format!("input.missing[{position}]"),
                "is empty: an empty field always counts as missing",
            );
        }
    }
    let is_share = |share: f64| (0.0..=1.0).contains(&share);
    if !is_share(document.cleaning.max_unreadable) {
        found.add("cleaning.max_unreadable", "is a share of the values: from 0 to 1");
    }
    if !is_share(document.cleaning.max_dropped) {
        found.add("cleaning.max_dropped", "is a share of the rows: from 0 to 1");
    }
}
