//! The text form of the contract's files: the layout of Jackson's pretty printer. `json` reads it.

use std::fmt::Write as _;

pub use super::double::java_double;
use super::double::push_java_double;

/// A document to be written. Whole numbers and doubles are written differently, and members keep their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// `24`.
    Whole(i64),
    /// `24.0`, in the form of Java's `Double.toString`; NaN and the infinities as strings.
    Double(f64),
    /// A string.
    Text(String),
    /// `[ … ]`.
    Array(Vec<Json>),
    /// `{ … }`.
    Object(Vec<(&'static str, Json)>),
    /// An object whose keys are data.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// A count. No count reaches 2⁶³.
    pub fn count(count: u64) -> Self {
        Self::Whole(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// The text in the form of the contract's files: one member on each line, indented by two spaces, arrays without line
/// breaks of their own, no line break at the end.
pub fn pretty(json: &Json) -> String {
    let mut out = String::new();
    push(&mut out, json, Some(0));
    out
}

/// The text on one line, without spaces.
pub fn compact(json: &Json) -> String {
    let mut out = String::new();
    push(&mut out, json, None);
    out
}

/// `depth` is the number of enclosing objects; `None` for compact text. Arrays don't count, because their items stay on
/// the line.
fn push(out: &mut String, json: &Json, depth: Option<usize>) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Whole(value) => {
            // Writing to a String can't fail.
            let _ = write!(out, "{value}");
        }
        Json::Double(value) if value.is_finite() => push_java_double(out, *value),
        Json::Double(value) => {
            out.push('"');
            push_java_double(out, *value);
            out.push('"');
        }
        Json::Text(text) => push_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if depth.is_some() {
                    out.push(' ');
                }
                push(out, item, depth);
            }
            if depth.is_some() {
                out.push(' ');
            }
            out.push(']');
        }
        Json::Object(members) => push_object(out, members.iter().map(|(key, value)| (*key, value)), depth),
        Json::Map(members) => push_object(out, members.iter().map(|(key, value)| (key.as_str(), value)), depth),
    }
}

fn push_object<'a>(out: &mut String, members: impl Iterator<Item = (&'a str, &'a Json)>, depth: Option<usize>) {
    out.push('{');
    let mut empty = true;
    for (key, value) in members {
        if !empty {
            out.push(',');
        }
        empty = false;
        if let Some(depth) = depth {
            push_line(out, depth + 1);
        }
        push_string(out, key);
        out.push_str(if depth.is_some() { " : " } else { ":" });
        push(out, value, depth.map(|depth| depth + 1));
    }
    match depth {
        Some(_) if empty => out.push(' '),
        Some(depth) => push_line(out, depth),
        None => {}
    }
    out.push('}');
}

fn push_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Escapes only what must be escaped; characters beyond ASCII are written as they are.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
