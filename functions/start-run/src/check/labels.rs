//! The labels that a file of ground truth begins with: too many that don't read are told at once, and join nothing.

use super::Refusal;
use contracts::words;
use csv::ByteRecord;
use files::Numbers;

const EXAMPLES: usize = 3;
const EXAMPLE_CHARACTERS: usize = 40;

/// How labels are judged.
#[derive(Clone, Debug)]
pub(super) struct LabelRules {
    pub numbers: Numbers,
    /// Share of the labels that may be unreadable: `cleaning.max_unreadable`.
    pub max_unreadable: f64,
}

/// Judges the labels of rows, which stand in the column `at`.
pub(super) fn judge(rows: impl Iterator<Item = ByteRecord>, at: usize, rules: &LabelRules) -> Result<(), Refusal> {
    let (mut labels, mut unreadable, mut examples) = (0_u64, 0_u64, Vec::new());
    for row in rows {
        let field = String::from_utf8_lossy(row.get(at).unwrap_or_default());
        if rules.numbers.is_missing(&field) {
            continue;
        }
        labels += 1;
        if rules.numbers.read(&field).is_none() {
            unreadable += 1;
            let example = shown(&field);
            if examples.len() < EXAMPLES && !examples.contains(&example) {
                examples.push(example);
            }
        }
    }
    // Counts of the first kilobytes: exact in a double.
    if unreadable as f64 <= rules.max_unreadable * labels as f64 {
        return Ok(());
    }
    let told: Vec<String> = examples.iter().map(|example| format!("`{example}`")).collect();
    Err(Refusal::new(
        format!(
            "holds labels that are no numbers: {} of the first {}, as {}",
            words::count(unreadable),
            words::count(labels),
            told.join(", ")
        ),
        remedy(&examples),
    ))
}

fn remedy(examples: &[String]) -> &'static str {
    let commas = |example: &String| {
        example.contains(',') && example.bytes().all(|it| it.is_ascii_digit() || b",.-".contains(&it))
    };
    if examples.iter().all(commas) {
        "Name its marks in the use case's document, as `input: { decimal: \",\" }` or `input: { thousands: \",\" }`, and drop \
         the file again; or write labels as `12.5`."
    } else {
        "Write labels as numbers, as `12.5`, and drop the file again."
    }
}

/// A value as messages show it: short, and without control characters.
fn shown(field: &str) -> String {
    let escaped: String = field.chars().flat_map(char::escape_debug).collect();
    match escaped.char_indices().nth(EXAMPLE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}
