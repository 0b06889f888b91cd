//! What is wrong with a document, in words: the reader's own are for those who know it.

use super::mend;
use super::yaml::Marked;
use serde_saphyr::Error;

const INIT: &str = "for a file of rows, `drivetrain init FILE` writes one";

/// Says that bytes are no text.
pub(super) fn no_text(bytes: &[u8]) -> String {
    match files::Kind::of(bytes) {
        files::Kind::Foreign(kind) => format!("is no use-case document but {kind}: {INIT}"),
        files::Kind::Gzip | files::Kind::Zstd | files::Kind::Parquet => format!("is no use-case document: {INIT}"),
        files::Kind::Text => format!("is no use-case document, or not saved in UTF-8: save it so; {INIT}"),
    }
}

/// Says that a text is no document at all; `None` for one that may be.
pub(super) fn no_document(source: &str) -> Option<String> {
    if source.trim().is_empty() {
        return Some(format!(
            "is empty: write a document (see models/use-case.schema.json); {INIT}"
        ));
    }
    let is_mapping = match Marked::parse(source) {
        Ok(marked) => match marked.get("") {
            None => return Some(format!("holds nothing but comments: write a document; {INIT}")),
            Some(_) => marked.children("").next().is_some_and(|path| !path.starts_with('[')),
        },
        // What is no YAML may be meant as a document: then the first key is there.
        Err(_) => source.contains("use_case"),
    };
    (!is_mapping).then(|| format!("is no use-case document, which has keys such as `use_case:` and `schema:`: {INIT}"))
}

/// A mistake of syntax or type, at the value at `path` if it is at one.
pub(super) fn of(error: &Error, path: Option<&str>) -> String {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let known = expected.join(", ");
            match mend::nearest(field, expected) {
                Some(near) => format!("`{field}` is no field here: did you mean `{near}`? There are {known}"),
                None => format!("`{field}` is no field here; there are {known}"),
            }
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let known = expected.join(", ");
            let is_time = ["date", "datetime", "time", "timestamp"].contains(&variant.as_str());
            let is_type = path.is_some_and(|path| path.starts_with("schema.columns[") && path.ends_with(".type"));
            if is_time && is_type {
                return format!(
                    "`{variant}` is none of {known}: leave the column out, and add its month, weekday or age to the file as numbers"
                );
            }
            match mend::nearest(variant, expected) {
                Some(near) => format!("`{variant}` is none of {known}: did you mean `{near}`?"),
                None => format!("`{variant}` is none of {known}"),
            }
        }
        Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("`{key}` is given twice: keep one"),
            None => "a field is given twice: keep one".to_owned(),
        },
        Error::InvalidScalar { ty: "boolean", .. } => "must be true or false".to_owned(),
        Error::InvalidScalar {
            ty: "floating point", ..
        } => "must be a number".to_owned(),
        Error::InvalidScalar { ty, .. } if ty.starts_with(['i', 'u']) => "must be a whole number in range".to_owned(),
        Error::Unexpected {
            expected: "mapping start",
            ..
        } => "must be fields with values, as `name: value`".to_owned(),
        Error::Unexpected {
            expected: "sequence start",
            ..
        } => "must be a list, as `[a, b]`".to_owned(),
        Error::Unexpected {
            expected: "string scalar" | "scalar",
            ..
        } => "must be one value".to_owned(),
        Error::Eof { .. } => "the document ends too early".to_owned(),
        error => {
            let text = error.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            if text
                .split(|it: char| !it.is_alphabetic())
                .any(|word| ["tab", "tabs"].contains(&word))
            {
                return "there is a tab, where YAML takes spaces alone: put spaces in its place".to_owned();
            }
            text.to_owned()
        }
    }
}
