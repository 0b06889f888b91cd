//! The decisions of a document, put together.

use super::baseline::{self, Baseline};
use super::columns::{self, Fate, Kept, share};
use super::numbers::{self, Fence};
use super::profile::Profile;
use super::proposal::{Decided, Proposal, Reached};
use super::target::{self, Target};
use anyhow::{Result, bail};
use contracts::use_case::{Cleaning, ColumnType, Input, Split, added_columns};
use contracts::words;
use csv::StringRecord;
use files::{Numbers, squeeze};

/// The models of every document that is made here.
const MODELS: [&str; 2] = ["xgboost", "linear-learner"];
/// What a model takes at most: Preprocess refuses more.
const MOST_FEATURES: usize = 2000;
const MOST_CATEGORIES: usize = 100;
/// Fewer rows are too few to learn from and to judge by.
const FEWEST_ROWS: u64 = 50;
/// Rows of the holdout that the gate asks for, with some to spare: which rows fall into it is chance.
const HOLDOUT_ROWS: f64 = 120.0;
/// The threshold of the training metric, as a multiple of the error of predicting the median: above it a model has
/// learned nothing.
const THRESHOLD: f64 = 1.2;
/// What a dropped file may be unless the document says otherwise, and what it may be at most.
const DEFAULT_BYTES: u64 = 1 << 30;
const MOST_BYTES: u64 = 5 << 30;
/// Words that stand for a missing number.
const NO_VALUE: [&str; 27] = [
    "-",
    "--",
    "---",
    "?",
    "??",
    ".",
    "..",
    "*",
    "x",
    "none",
    "nil",
    "unknown",
    "missing",
    "undefined",
    "n.a.",
    "n.a",
    "#n/a",
    "#na",
    "<na>",
    "na.",
    "(null)",
    "\\n",
    "nd",
    "n/d",
    "s/d",
    "k.a.",
    "brak",
];

/// What a document says.
#[derive(Debug)]
pub(super) struct Plan {
    pub file: String,
    pub id: String,
    pub input: Input,
    pub rows: u64,
    /// In the file's order.
    pub columns: Vec<(String, Fate)>,
    pub required: Vec<bool>,
    pub target: Target,
    pub unit: Option<&'static str>,
    pub target_fence: Option<Fence>,
    /// How many of the sample's targets are outside of the fence.
    pub outside: usize,
    pub baseline: Baseline,
    /// Rows of the sample, and of how many it is one.
    pub sampled: usize,
    pub step: u64,
    pub drop_duplicates: bool,
    pub repeats: f64,
    /// Share of the file's rows that are not trained on, copies aside.
    pub lost: f64,
    /// `cleaning.max_dropped`, where the default is too little for files like this one.
    pub max_dropped: Option<f64>,
    pub holdout: f64,
    /// Rows that are expected to be left for training, and different ones for the holdout.
    pub train_rows: u64,
    pub holdout_rows: u64,
    pub rare_below: u64,
    pub max_categories: usize,
    pub features: usize,
    pub max_bytes: Option<u64>,
    pub notes: Vec<String>,
}

/// Takes words that stand for no value in columns of numbers for missing.
pub(super) fn missing_words(input: &mut Input, profile: &mut Profile) {
    for tally in &profile.columns {
        let values = tally.values(profile.rows);
        let found = tally.not_numbers();
        let stand_in = |word: &String| NO_VALUE.contains(&word.to_lowercase().as_str());
        let of_these: u64 = found
            .iter()
            .filter(|(word, _)| stand_in(word))
            .map(|(_, count)| count)
            .sum();
        // All but these are numbers.
        if of_these > 0 && tally.numbers > 0 && (values - of_these - tally.numbers) * 20 <= values - of_these {
            let words = found.into_iter().map(|(word, _)| word.to_lowercase()).filter(stand_in);
            input.missing.extend(words);
        }
    }
    input.missing.sort();
    input.missing.dedup();
    for tally in &mut profile.columns {
        tally.miss(|word| input.missing.contains(&squeeze(word).to_lowercase()));
    }
}

/// Decides on everything.
///
/// # Errors
/// There is too little to learn from; the text goes on from the file's name.
pub(super) fn make(file: &str, id: String, input: Input, profile: &Profile, target: Target) -> Result<Plan> {
    let reader = Numbers::new(&input);
    let numbers_of = |at: usize| -> Vec<f64> {
        let fields = profile.sample.iter().filter_map(|row| row.get(at));
        fields.filter_map(|field| reader.read(field)).collect()
    };
    let target_fence = numbers::fence(&numbers_of(target.at), 3.0);
    let inside = |value: &f64| target_fence.is_none_or(|it| (it.low..=it.high).contains(value));
    let labelled: Vec<(&StringRecord, f64)> = profile
        .sample
        .iter()
        .filter_map(|row| Some((row, reader.read(row.get(target.at)?)?)))
        .collect();
    let usable: Vec<(&StringRecord, f64)> = labelled.iter().filter(|(_, value)| inside(value)).copied().collect();
    let outside = labelled.len() - usable.len();

    let added = added_columns(MODELS, &profile.names[target.at]);
    let mut columns: Vec<(String, Fate)> = (0..profile.names.len())
        .map(|at| {
            let fate = if at == target.at {
                Fate::LeftOut("the target".to_owned())
            } else if added.contains(&profile.names[at]) {
                Fate::LeftOut(
                    "a scored file adds a column of this name, so that no file that has it can be scored: rename it in the \
                     header, and name it here"
                        .to_owned(),
                )
            } else {
                columns::decide(profile, at, &numbers_of(at))
            };
            (profile.names[at].clone(), fate)
        })
        .collect();
    let mut notes = target.notes.clone();
    leave_out_what_does_not_fit(&mut columns, &mut notes);
    let kept: Vec<usize> = positions(&columns);
    if kept.is_empty() {
        let reasons: Vec<String> = columns
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != target.at)
            .map(|(_, (name, fate))| match fate {
                Fate::LeftOut(why) => format!("`{}`: {why}", words::name(name)),
                Fate::Kept(_) => String::new(),
            })
            .collect();
        bail!(
            "has no column left to predict `{}` from. {}",
            words::name(&profile.names[target.at]),
            reasons.join("; ")
        );
    }
    let required = required(&columns, profile.rows, &mut notes);
    let identity: Vec<usize> = kept.iter().copied().chain([target.at]).collect();
    let (whole, repeats) = baseline::repeats(&profile.sample, &identity);
    let drop_duplicates = repeats - whole <= 0.01 && repeats < 0.5;

    let mut rows = profile.columns[target.at].numbers as f64 * share(usable.len() as u64, labelled.len() as u64);
    let mut trained_on = rows / profile.rows.max(1) as f64;
    if drop_duplicates {
        rows *= 1.0 - repeats;
    }
    for (at, (_, fate)) in columns.iter().enumerate() {
        if let (Fate::Kept(kept), true) = (fate, required[at]) {
            rows *= 1.0 - share(kept.missing, profile.rows);
            trained_on *= 1.0 - share(kept.missing, profile.rows);
        }
    }
    if rows < FEWEST_ROWS as f64 {
        bail!(
            "has {} that can be learned from (of {} read): a model needs {FEWEST_ROWS} at least, and some hundreds to be good",
            words::counted(rows as u64, "row", "rows"),
            words::count(profile.rows + profile.misfits)
        );
    }
    // The gate goes by different rows.
    let different = if drop_duplicates { rows } else { rows * (1.0 - repeats) };
    let holdout = ((HOLDOUT_ROWS / different * 20.0).ceil() / 20.0).clamp(Split::default().holdout, 0.3);
    let holdout_rows = different * holdout;
    let train_rows = rows * (1.0 - holdout - Split::default().validation);
    if holdout_rows < 110.0 {
        notes.push(format!(
            "about {} of the file fall into the holdout, and the gate decides by 100 at least: the first model will be \
             held, and serves once you approve it. More rows ({} or so) need nobody",
            if drop_duplicates {
                words::counted(holdout_rows as u64, "row", "rows")
            } else {
                words::counted(holdout_rows as u64, "different row", "different rows")
            },
            words::count(400)
        ));
    }
    let (lost, allowed) = (1.0 - trained_on, allowed(1.0 - trained_on));
    if let Some(allowed) = allowed {
        notes.push(format!(
            "about {} of the rows are not trained on: they lack the target or a required value, or are outside of the target's \
             rule. `cleaning.max_dropped: {allowed}` allows it; is the rest what the model is to know?",
            words::percent(lost)
        ));
    }
    if profile.misfits > 0 {
        notes.push(format!(
            "{} another number of fields than the header: left out here, and in training",
            if profile.misfits == 1 {
                "1 row has".to_owned()
            } else {
                format!("{} rows have", words::count(profile.misfits))
            }
        ));
    }
    if profile.step > 1 {
        notes.push(format!(
            "types, words and missing values were counted in all {}; quantiles and baselines come from every {}th of them",
            words::counted(profile.rows, "row", "rows"),
            words::count(profile.step)
        ));
    }
    let (max_categories, features) = widths(&columns);
    let groups: Vec<usize> = kept
        .iter()
        .copied()
        .filter(|at| makes_groups(&columns[*at].1, profile, *at))
        .collect();
    // With one column alone a model knows no more than the groups do.
    let groups: &[usize] = if kept.len() > 1 { &groups } else { &[] };
    Ok(Plan {
        file: file.to_owned(),
        id,
        rows: profile.rows,
        unit: target::unit(&profile.names[target.at]),
        baseline: baseline::measure(&usable, groups),
        max_bytes: larger(profile.bytes, &mut notes),
        rare_below: columns::rare_below(profile.rows),
        sampled: usable.len(),
        step: profile.step,
        train_rows: train_rows as u64,
        holdout_rows: holdout_rows as u64,
        input,
        columns,
        required,
        target,
        target_fence,
        outside,
        drop_duplicates,
        repeats,
        lost,
        max_dropped: allowed,
        holdout,
        max_categories,
        features,
        notes,
    })
}

impl Plan {
    /// The columns of the schema, with their positions.
    pub fn kept(&self) -> impl Iterator<Item = (usize, &str, &Kept)> {
        let columns = self.columns.iter().enumerate();
        columns.filter_map(|(at, (name, fate))| match fate {
            Fate::Kept(kept) => Some((at, name.as_str(), kept)),
            Fate::LeftOut(_) => None,
        })
    }

    /// The columns that are left out, and why; the target is none of them.
    pub fn left_out(&self) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.columns.iter().enumerate();
        columns.filter_map(|(at, (name, fate))| match fate {
            Fate::LeftOut(why) if at != self.target.at => Some((name.as_str(), why.as_str())),
            _ => None,
        })
    }

    /// The target's name.
    pub fn target_name(&self) -> &str {
        &self.columns[self.target.at].0
    }

    /// Above it a candidate is rejected.
    pub fn threshold(&self) -> f64 {
        let most = self.baseline.rmse * THRESHOLD;
        // A target that hardly varies where it was looked at has an error of 0: any model passes then.
        numbers::up(most).filter(|it| *it > 0.0).unwrap_or(1.0)
    }

    /// What came of it.
    pub fn proposal(self, document: String) -> Proposal {
        let decided = self.columns.iter().enumerate().map(|(at, (name, fate))| {
            let (becomes, why) = match fate {
                _ if at == self.target.at => ("target".to_owned(), self.target.why.clone()),
                Fate::Kept(kept) => (kept.kind.as_str().to_owned(), kept.why.clone()),
                Fate::LeftOut(why) => ("left out".to_owned(), why.clone()),
            };
            Decided {
                column: words::name(name),
                becomes,
                required: self.required[at],
                why,
            }
        });
        let group = self.baseline.group;
        Proposal {
            columns: decided.collect(),
            use_case: self.id,
            document,
            rows: self.rows,
            baseline: Reached {
                median: self.baseline.median,
                rmse_of_median: self.baseline.rmse,
                group_by: group.map(|(at, _)| self.columns[at].0.clone()),
                rmse_by_group: group.map(|(_, rmse)| rmse),
            },
            notes: self.notes,
        }
    }
}

fn positions(columns: &[(String, Fate)]) -> Vec<usize> {
    let kept = columns
        .iter()
        .enumerate()
        .filter(|(_, (_, fate))| matches!(fate, Fate::Kept(_)));
    kept.map(|(at, _)| at).collect()
}

/// `cleaning.max_dropped` for a file that loses such a share of its rows, where the default is too little: other files are
/// a little different.
fn allowed(lost: f64) -> Option<f64> {
    // Rounded up to a twentieth; what rounding leaves of a number is none of it.
    let most = (((lost + 0.1) * 20.0 - 1e-9).ceil() / 20.0).min(1.0);
    (most > Cleaning::default().max_dropped).then_some(most)
}

/// At most what a model takes: of more columns the last are left out.
fn leave_out_what_does_not_fit(columns: &mut [(String, Fate)], notes: &mut Vec<String>) {
    let mut features = 0;
    let mut left = 0;
    for (_, fate) in columns {
        let Fate::Kept(_) = fate else { continue };
        // Every column makes two at least: its value, and whether there is one.
        features += 2;
        if features > MOST_FEATURES {
            *fate = Fate::LeftOut(format!(
                "the columns before it make all the {} features that a model takes",
                words::count(MOST_FEATURES as u64)
            ));
            left += 1;
        }
    }
    if left > 0 {
        notes.push(format!(
            "{} left out: a model takes {} features. Name the columns that matter instead of the first",
            if left == 1 {
                "1 column is".to_owned()
            } else {
                format!("{} columns are", words::count(left))
            },
            words::count(MOST_FEATURES as u64)
        ));
    }
}

/// `features.max_categories`, and how many features come of it at most.
fn widths(columns: &[(String, Fate)]) -> (usize, usize) {
    let widths = |most: usize| -> usize {
        let width = |fate: &Fate| match fate {
            Fate::Kept(kept) if kept.kind == ColumnType::Category => kept.width.min(most),
            Fate::Kept(kept) => kept.width,
            Fate::LeftOut(_) => 0,
        };
        columns.iter().map(|(_, fate)| width(fate)).sum()
    };
    let most = (2..=MOST_CATEGORIES).rev().find(|most| widths(*most) <= MOST_FEATURES);
    let most = most.unwrap_or(2);
    (most, widths(most))
}

/// Which columns a row needs: those that always have a value. Where none does, the one that lacks the fewest.
fn required(columns: &[(String, Fate)], rows: u64, notes: &mut Vec<String>) -> Vec<bool> {
    let mut required: Vec<bool> = columns
        .iter()
        .map(|(_, fate)| matches!(fate, Fate::Kept(kept) if kept.complete))
        .collect();
    if !required.contains(&true) {
        let kept = columns.iter().enumerate().filter_map(|(at, (_, fate))| match fate {
            Fate::Kept(kept) => Some((kept.missing, at)),
            Fate::LeftOut(_) => None,
        });
        if let Some((missing, at)) = kept.min() {
            required[at] = true;
            notes.push(format!(
                "every column lacks values, and one must be required: `{}` is, so that the {} of the rows without it are not \
                 trained on",
                words::name(&columns[at].0),
                words::percent(share(missing, rows))
            ));
        }
    }
    required
}

fn makes_groups(fate: &Fate, profile: &Profile, at: usize) -> bool {
    let few = profile.columns[at].forgotten == 0 && profile.columns[at].words.len() <= 2000;
    matches!(fate, Fate::Kept(kept) if matches!(kept.kind, ColumnType::Category | ColumnType::Integer)) && few
}

/// What `drops.max_bytes` must be for a file of so many bytes, where the default is too small.
fn larger(bytes: u64, notes: &mut Vec<String>) -> Option<u64> {
    if bytes <= DEFAULT_BYTES {
        return None;
    }
    if bytes > MOST_BYTES {
        notes.push(format!(
            "the file has {} GiB, and a dropped file may have 5 at most: drop a part of it",
            bytes >> 30
        ));
    }
    Some((bytes * 2).min(MOST_BYTES))
}
