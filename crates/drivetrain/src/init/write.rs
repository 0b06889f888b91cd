//! A plan as commented YAML.

use super::columns::Kept;
use super::numbers::plain;
use super::plan::Plan;
use contracts::use_case::{Encoding, Input};
use contracts::words;

/// Comments are broken here.
const WIDTH: usize = 118;
/// What YAML reads as something else than text, in any case of letters.
const NO_TEXT: [&str; 14] = [
    "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", "nan", "inf", ".nan", ".inf",
];

/// The document.
pub(super) fn document(plan: &Plan) -> String {
    let blocks = [
        head(plan),
        input(plan),
        schema(plan),
        target(plan),
        cleaning(plan),
        split(plan),
        features(plan),
        naive_baseline(plan),
        drops(plan),
        models(plan),
        gate(plan),
        PREDICTION.to_owned(),
        WATCHING.to_owned(),
    ];
    let blocks: Vec<&str> = blocks
        .iter()
        .map(|block| block.trim_end())
        .filter(|block| !block.is_empty())
        .collect();
    blocks.join("\n\n") + "\n"
}

const PREDICTION: &str = "\
# How the models' values become one answer. Trees are usually much better than a line, which is there to be compared
# with, and to answer if the trees don't. Change the weights when you know both errors.
prediction:
  combine: { rule: weighted, weights: { xgboost: 0.8, linear-learner: 0.2 } }
  when_a_model_fails: answer
";

const WATCHING: &str = "\
# What was asked is compared with the training data every hour, as soon as 100 new predictions are there; what came
# true may follow within 30 days. Take `monitoring` out to watch nothing.
monitoring: { every_minutes: 60, minimum_rows: 100, ground_truth_days: 30 }

# Whether drift starts a training run by itself: set `on_drift: true` once ground truth or new files come regularly.
retraining: { on_drift: false }

# Addresses that hear of every decision, refusal and drift, as [you@your-company.com]: each confirms by a mail. Nobody,
# until you say so.
recipients: []
";

fn head(plan: &Plan) -> String {
    let file = words::name(&plan.file);
    let intro = comment(
        "",
        &format!(
            "Made by `drivetrain init` from {file}: {}, {}. It is sound as it stands and meant to train at once; what it says is \
             what one file shows, so correct what you know better. `drivetrain check` names mistakes with their lines.",
            words::counted(plan.rows, "row", "rows"),
            words::counted(plan.columns.len() as u64, "column", "columns"),
        ),
    );
    let about = format!(
        "{} from {} columns of {file}.",
        words::name(plan.target_name()),
        plan.kept().count()
    );
    format!(
        "{intro}use_case: {}\ndescription: {}\n",
        plan.id,
        scalar(&format!("Predicts {about}"))
    )
}

fn input(plan: &Plan) -> String {
    let Input {
        delimiter,
        decimal,
        thousands,
        encoding,
        missing,
        ..
    } = &plan.input;
    let mut fields = Vec::new();
    if *delimiter != ',' {
        fields.push(format!("delimiter: {}", quoted(&delimiter.to_string())));
    }
    if *decimal != '.' {
        fields.push(format!("decimal: {}", quoted(&decimal.to_string())));
    }
    if let Some(mark) = thousands {
        fields.push(format!("thousands: {}", quoted(&mark.to_string())));
    }
    if *encoding != Encoding::Utf8 {
        fields.push(format!("encoding: {}", encoding.as_str()));
    }
    if !missing.is_empty() {
        let words: Vec<String> = missing.iter().map(|word| quoted(word)).collect();
        fields.push(format!("missing: [{}]", words.join(", ")));
    }
    if fields.is_empty() {
        return String::new();
    }
    let text = "How files are written, as this one is: `missing` has words that stand for no value, beside an empty field, NA, \
                N/A, NaN and null. Files that are written another way are refused with the line to change.";
    format!("{}input: {{ {} }}\n", comment("", text), fields.join(", "))
}

fn schema(plan: &Plan) -> String {
    let mut text = comment(
        "",
        "What a prediction is made from; files may hold other columns beside these, in any order. `required`: a row without a \
         value is not trained on and a request without it is refused; elsewhere a missing value is fine. `minimum` and \
         `maximum` bound what a request may say, with room around what the file holds. Take out what isn't known when a \
         prediction is asked for.",
    );
    text += "schema:\n  columns:\n";
    for (at, name, kept) in plan.kept() {
        text += &column(name, kept, plan.required[at]);
    }
    let left_out: Vec<(&str, &str)> = plan.left_out().collect();
    if !left_out.is_empty() {
        text += "  # Left out, and why:\n";
        for (name, why) in left_out {
            text += &comment(
                "  ",
                &format!(
                    "- {}: {why}.",
                    words::name(if name.is_empty() { "(no name)" } else { name })
                ),
            );
        }
    }
    text
}

fn column(name: &str, kept: &Kept, required: bool) -> String {
    let mut fields = vec![
        format!("name: {}", scalar(name)),
        format!("type: {}", kept.kind.as_str()),
    ];
    if required {
        fields.push("required: true".to_owned());
    }
    fields.extend(kept.minimum.map(|it| format!("minimum: {}", plain(it))));
    fields.extend(kept.maximum.map(|it| format!("maximum: {}", plain(it))));
    if kept.words.is_empty() {
        return format!("    - {{ {} }}  # {}\n", fields.join(", "), kept.why);
    }
    let mut text = format!("    - {}  # {}\n", fields.remove(0), kept.why);
    for field in fields {
        text += &format!("      {field}\n");
    }
    text += "      # Open: other words are told as a warning, and count as \"other\".\n";
    let words: Vec<String> = kept.words.iter().map(|word| scalar(word)).collect();
    text + &format!("      categories: {{ open: true, values: [{}] }}\n", words.join(", "))
}

fn target(plan: &Plan) -> String {
    let mut text = comment(
        "",
        &format!(
            "What is predicted, chosen {}. It must be a number, stands in files to train on, and never in a request.",
            plan.target.why
        ),
    );
    for note in &plan.target.notes {
        text += &comment("", &format!("Note: {note}."));
    }
    let name = scalar(plan.target_name());
    match plan.unit {
        Some(unit) => text += &format!("target: {{ name: {name}, unit: {} }}\n", scalar(unit)),
        None => {
            text += "# `unit: USD` beside the name shows errors in words.\n";
            text += &format!("target: {{ name: {name} }}\n");
        }
    }
    text
}

fn cleaning(plan: &Plan) -> String {
    let mut text = comment(
        "",
        "Which rows are trained on. A rule drops rows whose target is outside, of training and of ground truth, and takes other \
         values outside for missing ones.",
    );
    text += "cleaning:\n";
    if plan.drop_duplicates {
        let share = words::percent(plan.repeats);
        text += &comment(
            "  ",
            &format!("Rows equal in the columns above and the target are kept once: {share} repeat others here."),
        );
        text += "  drop_duplicates: true\n";
    } else {
        text += &comment(
            "  ",
            &format!(
                "{} of the rows repeat others once the columns that are left out are gone. They are rows of their own, so all \
                 are kept; say `true` if they are copies.",
                words::percent(plan.repeats)
            ),
        );
        text += "  drop_duplicates: false\n";
    }
    if let Some(allowed) = plan.max_dropped {
        text += &comment(
            "  ",
            &format!(
                "A file that loses a larger share of its rows than this is refused: what is left would be a narrow part of the \
                 world. {} of the rows here lack the target or a required value, or are outside of its rule.",
                words::percent(plan.lost)
            ),
        );
        text += &format!("  max_dropped: {allowed}\n");
    }
    let mut rules = String::new();
    if let Some(fence) = plan.target_fence {
        rules += &comment(
            "    ",
            &format!(
                "Far from nearly all values of the target: its 1 % and 99 % quantiles, and three times their distance from the \
                 median beyond. {} of {} rows are outside.",
                words::count(plan.outside as u64),
                words::count((plan.outside + plan.sampled) as u64)
            ),
        );
        rules += &rule(plan.target_name(), fence.low, fence.high);
    }
    let far = plan.kept().filter_map(|(_, name, kept)| Some((name, kept.rule?, kept)));
    for (name, fence, kept) in far {
        rules += &comment(
            "    ",
            &format!(
                "The column has {}; what is outside is likely a typing error. Take the rule out if such values are real.",
                kept.why
            ),
        );
        rules += &rule(name, fence.low, fence.high);
    }
    if !rules.is_empty() {
        text += "  rules:\n";
        text += &rules;
    }
    text
}

fn rule(name: &str, low: f64, high: f64) -> String {
    format!(
        "    - {{ column: {}, min: {}, max: {} }}\n",
        scalar(name),
        plain(low),
        plain(high)
    )
}

fn split(plan: &Plan) -> String {
    let why = comment(
        "",
        &format!(
            "Shares of the rows that tune a model, and that it is judged by; about {} are left to train on. Leave `salt` as it is: \
             another deals the rows anew, and judges models by rows that they have seen.",
            words::count(plan.train_rows)
        ),
    );
    format!(
        "{why}split: {{ validation: 0.15, holdout: {}, salt: v1 }}\n",
        plain(plan.holdout)
    )
}

fn features(plan: &Plan) -> String {
    let why = comment(
        "",
        &format!(
            "A word in fewer training rows than `rare_below` counts as \"other\", as do the rarest beyond `max_categories` of a \
             column. The columns make {} features at most; a model takes 2,000.",
            words::count(plan.features as u64)
        ),
    );
    format!(
        "{why}features: {{ rare_below: {}, max_categories: {} }}\n",
        plan.rare_below, plan.max_categories
    )
}

fn naive_baseline(plan: &Plan) -> String {
    let Some((at, rmse)) = plan.baseline.group else {
        return String::new();
    };
    let name = &plan.columns[at].0;
    let why = comment(
        "",
        &format!(
            "What models must beat: the median target of the rows with the same `{}`. Its RMSE here is {}, against {} of one median \
             for all.",
            words::name(name),
            amount(plan, rmse),
            amount(plan, plan.baseline.rmse)
        ),
    );
    format!("{why}naive_baseline: {{ group_by: [{}] }}\n", scalar(name))
}

fn drops(plan: &Plan) -> String {
    let Some(bytes) = plan.max_bytes else {
        return String::new();
    };
    let why = comment(
        "",
        "The file is larger than the 1 GiB that a dropped file may have by default.",
    );
    format!("{why}drops: {{ max_bytes: {bytes} }}\n")
}

fn models(plan: &Plan) -> String {
    let baseline = &plan.baseline;
    let sample = if plan.step > 1 {
        format!(" (every {}th)", words::count(plan.step))
    } else {
        String::new()
    };
    let why = comment(
        "",
        &format!(
            "Two built-in algorithms; each model has an endpoint of its own. `threshold_rmse` rejects a model that has learned \
             nothing. It is 1.2 times the error of predicting the median, {}, for every row: an RMSE of {}, measured on {} of the \
             {} usable rows looked at{sample}, which were kept apart. Once a run has told what models reach, lower it to what is \
             good enough for you.",
            amount(plan, baseline.median),
            amount(plan, baseline.rmse),
            words::count(baseline.held_out as u64),
            words::count(plan.sampled as u64),
        ),
    );
    let threshold = plain(plan.threshold());
    // A batch of more rows than there are to train on is refused.
    let batch = (plan.train_rows / 10).clamp(4, 100);
    format!(
        "{why}models:
  - name: xgboost
    algorithm: xgboost
    hyperparameters:
      objective: reg:squarederror
      eval_metric: rmse
      num_round: 600
      early_stopping_rounds: 50
      eta: 0.05
      max_depth: 6
      min_child_weight: 2
      subsample: 0.8
      colsample_bytree: 0.6
      seed: 1
    metric: {{ name: \"validation:rmse\" }}
    threshold_rmse: {threshold}
    # Add `scaling: {{ min_instances: 1, max_instances: 4, invocations_per_instance: 600 }}` for much traffic.
    endpoint: {{ instance_type: ml.m5.large }}

  - name: linear-learner
    algorithm: linear-learner
    hyperparameters:
      predictor_type: regressor
      epochs: 40
      mini_batch_size: {batch}
    # Linear Learner reports the mean of the squares; its root is in the target's unit.
    metric: {{ name: \"validation:mse\", root: true }}
    threshold_rmse: {threshold}
    endpoint: {{ instance_type: ml.m5.large }}
"
    )
}

fn gate(plan: &Plan) -> String {
    let why = comment(
        "",
        &format!(
            "When a candidate takes the champion's place: `min_improvement` is the share that it must be better by, 0 is anything \
             beyond chance. A holdout of fewer rows than `min_holdout_rows` decides nothing: a first candidate is held until you \
             approve it, a later one is rejected, and the champion stays. This file has about {} there.",
            words::count(plan.holdout_rows)
        ),
    );
    format!("{why}gate: {{ min_improvement: 0, min_holdout_rows: 100 }}\n")
}

fn amount(plan: &Plan, value: f64) -> String {
    match plan.unit {
        Some(unit) => format!("{} {unit}", words::number(value)),
        None => words::number(value),
    }
}

/// A text as comment lines.
fn comment(indent: &str, text: &str) -> String {
    let (mut lines, mut line) = (String::new(), format!("{indent}#"));
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH && line.trim() != "#" {
            lines += &line;
            lines.push('\n');
            line = format!("{indent}#");
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}

/// A text as YAML: as it is where it is read so, in quotes otherwise.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_')
        && text.ends_with(|it: char| !matches!(it, ' ' | ':'))
        && text
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "_-. /+%()".contains(it))
        && !NO_TEXT.contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\t' => out += "\\t",
            // What YAML takes for a line's end, or for nothing that may stand in a file.
            '\0'..=' ' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                if letter != ' ' =>
            {
                out += &format!("\\u{:04x}", u32::from(letter));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct One {
        name: String,
    }

    proptest! {
        #[test]
        fn every_text_is_read_back(text in "\\PC{0,12}|[a-z:#\\-, .\"'\\[\\]{}&*!|>%@`?yn0-9e~\\\\]{0,8}|yes|No|null|1e5|0x1f|1_000") {
            for yaml in [format!("name: {}\n", scalar(&text)), format!("{{ name: {}, other: 1 }}\n", scalar(&text))] {
                let read: One = serde_saphyr::from_str(&yaml).unwrap();
                prop_assert_eq!(&read.name, &text, "{}", yaml);
            }
        }
    }

    #[test]
    fn comments_are_broken_between_words() {
        let text = comment("  ", &"word ".repeat(60));
        assert!(
            text.lines()
                .all(|line| line.starts_with("  # word") && line.len() <= WIDTH)
        );
        assert_eq!(text.matches("word").count(), 60);
    }
}
