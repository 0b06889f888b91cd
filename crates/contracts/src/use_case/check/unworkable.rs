//! Settings that the types and the other checks allow, but that no file can satisfy.

use super::Found;
use crate::use_case::{ColumnType, UseCase};

pub(super) fn unworkable(document: &UseCase, found: &mut Found) {
    let added = document.added_columns();
    for (position, column) in document.schema.columns.iter().enumerate() {
        let path = || format!("schema.columns[{position}].name");
        trimmed(path(), &column.name, found);
        never_scored(path(), &column.name, &added, found);
    }
    trimmed("target.name".to_owned(), &document.target.name, found);
    for (position, name) in document.scoring.carry.iter().enumerate() {
        let path = || format!("scoring.carry[{position}]");
        trimmed(path(), name, found);
        never_scored(path(), name, &added, found);
    }
    if document.cleaning.duplicate_columns.as_ref().is_some_and(Vec::is_empty) {
        found.add(
            "cleaning.duplicate_columns",
            "is empty: every row would repeat the first. Leave it out to compare all columns, or set `drop_duplicates: false`",
        );
    }
    for (position, rule) in document.cleaning.rules.iter().enumerate() {
        let mut columns = document.schema.columns.iter();
        if columns.any(|column| column.name == rule.column && column.kind == ColumnType::Category) {
            found.add(
                format!("cleaning.rules[{position}]"),
                format!("`{}` is a category: min and max bound numbers", rule.column),
            );
        }
    }
}

/// A file with such a column can't be scored, because the scored file would have two columns of that name.
fn never_scored(path: String, name: &str, added: &[String], found: &mut Found) {
    if added.iter().any(|it| it == name) {
        let message = format!(
            "`{name}` is a column that a scored file adds (`{}`): no file that has it can be scored. Rename it here and in \
             the files, or the model where it is one's name",
            added.join("`, `")
        );
        found.add(path, message);
    }
}

/// Names in a file's header are read without the white space around them.
fn trimmed(path: String, name: &str, found: &mut Found) {
    if name.trim() != name && !name.trim().is_empty() {
        let message =
            format!("`{name}` begins or ends with white space, which headers are read without: no file would have it");
        found.add(path, message);
    }
}
