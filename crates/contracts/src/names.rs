//! Names of SageMaker resources: at most 63 characters of letters, digits and hyphens.
//!
//! The form is `<stack>--<use case>-<model>-<digits>-<step>-<retry>`, with use case and model shortened to fit. The
//! digits are from a hash over everything that the name stands for, so that shortening causes no collisions and
//! `drivetrain` with `cars-eu` and `xgb` never has the same name as `drivetrain` with `cars` and `eu-xgb`. The state
//! machine appends the retry. Endpoints are named after the schema rather than the run, because they outlive runs.
//!
//! Ids contain single hyphens only. A name that begins with `<stack>--` therefore belongs to that stack alone, which is
//! how the roles in the template tell stacks apart.

use crate::run::RunId;
use sha2::{Digest, Sha256};

/// The steps of a run that create a SageMaker resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The training job.
    Train,
    /// The model (inference pipeline).
    Model,
    /// The transform job that scores the holdout with the candidate.
    Candidate,
    /// The transform job that scores the holdout with the champion.
    Champion,
    /// The processing job that makes the baseline of the raw columns.
    DataBaseline,
    /// The processing job that makes the baseline of the predictions.
    QualityBaseline,
    /// The endpoint configuration.
    Config,
    /// The transform job of a scoring run.
    Score,
    /// The processing job that compares live data with its baseline.
    DataDrift,
    /// The processing job that compares live errors with their baseline.
    ModelDrift,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 10] = [
        Self::Train,
        Self::Model,
        Self::Candidate,
        Self::Champion,
        Self::DataBaseline,
        Self::QualityBaseline,
        Self::Config,
        Self::Score,
        Self::DataDrift,
        Self::ModelDrift,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Model => "model",
            Self::Candidate => "cand",
            Self::Champion => "champ",
            Self::DataBaseline => "data",
            Self::QualityBaseline => "qual",
            Self::Config => "conf",
            Self::Score => "score",
            Self::DataDrift => "ddrif",
            Self::ModelDrift => "mdrif",
        }
    }
}

/// The name of a model's resource in a run, without the retry.
pub fn model_step(stack: &str, use_case: &str, model: &str, run: &RunId, step: Step) -> String {
    format!("{}-{}", of_model_run(stack, use_case, model, run), step.as_str())
}

/// Prefix of the names of all of a model's resources in a run.
pub fn of_model_run(stack: &str, use_case: &str, model: &str, run: &RunId) -> String {
    name(stack, use_case, model, &run.to_string())
}

/// The name without the round and the retry that the machine appends.
pub fn without_retry(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((before, retry)) if !retry.is_empty() && retry.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => name,
    }
}

/// The name of a run's preprocessing job, without the retry.
pub fn preprocess_job(stack: &str, use_case: &str, run: &RunId) -> String {
    name(stack, use_case, "", &run.to_string()) + "-prep"
}

/// The name of the job that combines the answers of a scoring run's models, without the retry.
pub fn combine_job(stack: &str, use_case: &str, run: &RunId) -> String {
    name(stack, use_case, "", &run.to_string()) + "-comb"
}

/// The name of a model's endpoint for one schema.
pub fn endpoint(stack: &str, use_case: &str, model: &str, schema_hash: &str) -> String {
    name(stack, use_case, model, schema_hash)
}

/// Maximum length of the id of a use case or model, in characters.
pub const MAX_ID: usize = 40;
/// Maximum length of the id of a stack, in characters; the template sets the same limit for its parameter `Prefix`.
pub const MAX_STACK: usize = 14;

/// Maximum length of a SageMaker name, in characters.
const SAGEMAKER_LIMIT: usize = 63;
/// Characters reserved for the step and for the round and retry that the machine appends: `-score-99`, and one digit to
/// spare.
const SUFFIX: usize = "-score-999".len();
/// Number of base-32 digits, which is 55 bits: for a model that is monitored every 15 minutes, two names collide within
/// a year with a chance of one in 50 million.
const DIGITS: usize = 11;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn name(stack: &str, use_case: &str, model: &str, of: &str) -> String {
    let separators = if model.is_empty() { "---" } else { "----" }.len();
    let room = SAGEMAKER_LIMIT.saturating_sub(stack.len() + separators + DIGITS + SUFFIX);
    // Each gets half of the room, plus what the other doesn't need.
    let model_short = cut(model, room - use_case.len().min(room / 2));
    let use_case_short = cut(use_case, room - model_short.len());
    let digits = digits(&[stack, use_case, model, of]);
    if model.is_empty() {
        format!("{stack}--{use_case_short}-{digits}")
    } else {
        format!("{stack}--{use_case_short}-{model_short}-{digits}")
    }
}

/// The beginning of an id, at most `length` characters, that is itself a valid id.
fn cut(id: &str, length: usize) -> &str {
    id.get(..length).unwrap_or(id).trim_end_matches('-')
}

/// Digits of a hash over all of `parts`.
fn digits(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        // A separator that can't occur in a part, so that ("a", "bc") and ("ab", "c") differ.
        hash.update([0]);
    }
    let hash = hash.finalize();
    let five_bits = hash.iter().take(DIGITS).map(|byte| usize::from(byte & 31));
    five_bits.map(|index| char::from(ALPHABET[index])).collect()
}

/// The tag that names the stack. Roles of stacks that were set up before names began with `<stack>--` rely on it.
pub const TAG_STACK: &str = "drivetrain:stack";
/// The tag that names the use case.
pub const TAG_USE_CASE: &str = "drivetrain:use-case";
/// The tag that names the model.
pub const TAG_MODEL: &str = "drivetrain:model";
/// The tag that names the run.
pub const TAG_RUN: &str = "drivetrain:run-id";

/// Whether `id` can be part of a name: lower-case letters, digits and single hyphens, beginning with a letter.
pub fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && !id.ends_with('-')
        && !id.contains("--")
        && id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Ids that a use case can't have, because they mean something else where its id would appear: at the top of the
/// bucket, in the folders of use cases, or in Parameter Store.
pub const RESERVED: [&str; 22] = [
    "all",
    "batch",
    "capture",
    "code",
    "config",
    "dashboard",
    "decisions",
    "ground-truth",
    "history",
    "incoming",
    "input",
    "labelled",
    "models",
    "monitoring",
    "platform",
    "queries",
    "reporting",
    "runs",
    "scored",
    "scoring",
    "training",
    "use-cases",
];

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// SageMaker's pattern: `^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`.
    fn fits_sagemaker(name: &str) -> bool {
        name.len() <= 63
            && !name.starts_with('-')
            && !name.ends_with('-')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }

    fn run(text: &str) -> RunId {
        RunId::parse(text).unwrap()
    }

    #[test]
    fn names_can_be_read() {
        let run = run("20261122t183000z-ab12cd34");
        let (stack, use_case) = ("drivetrain", "used-car-price");
        let name = model_step(stack, use_case, "xgboost", &run, Step::Train);
        assert_eq!(name, "drivetrain--used-car-price-xgboost-3egmbky4k7o-train");
        let name = endpoint(stack, use_case, "linear-learner", "123456");
        assert_eq!(name, "drivetrain--used-car-price-linear-learner-ild4gktp2ia");
        assert_eq!(
            preprocess_job(stack, use_case, &run),
            "drivetrain--used-car-price-fwc7q3bspny-prep"
        );
    }

    #[test]
    fn a_retry_is_told_from_the_name() {
        let run = run("20261122t183000z-ab12cd34");
        let name = model_step("drivetrain", "used-car-price", "xgboost", &run, Step::Model);
        assert_eq!(without_retry(&format!("{name}-12")), name);
        assert_eq!(without_retry(&name), name);
        assert_eq!(without_retry("plain"), "plain");
    }

    #[test]
    fn what_once_was_one_endpoint_is_two() {
        let of = |use_case, model| endpoint("drivetrain", use_case, model, "123456");
        assert_ne!(of("cars", "eu-xgb"), of("cars-eu", "xgb"));
        let long = "a".repeat(39);
        assert_ne!(of(&format!("{long}b"), "m"), of(&format!("{long}c"), "m"));
    }

    #[test]
    fn a_year_of_ticks_has_names_of_its_own() {
        let ticks = (0..35_040).map(|tick| Timestamp::from_second(1_795_372_200 + tick * 900).unwrap());
        let names: HashSet<String> = ticks
            .map(|tick| {
                let run = RunId::for_tick(tick, "used-car-price", "xgboost");
                model_step("drivetrain", "used-car-price", "xgboost", &run, Step::DataDrift)
            })
            .collect();
        assert_eq!(names.len(), 35_040);
    }

    #[test]
    fn a_rerun_has_names_of_its_own() {
        let first = run("20261122t183000z-ab12cd34");
        assert_ne!(
            preprocess_job("s", "u", &first),
            preprocess_job("s", "u", &first.rerun())
        );
    }

    #[test]
    fn words_that_mean_something_else_are_ids() {
        for word in RESERVED {
            assert!(is_id(word), "{word} could never be a use case: it need not be reserved");
        }
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn the_template_keeps_stacks_apart_by_these_names() {
        let template = include_str!("../../../template.yaml");
        assert!(template.contains(&format!("    MaxLength: {MAX_STACK}\n")));
        let lines: Vec<&str> = template.lines().collect();
        let mut own = 0;
        for (number, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains(":sagemaker:"))
        {
            own += usize::from(line.contains("/${Prefix}--*'"));
            if line.contains("/${Prefix}-*'") {
                // A name in the older form: its tag says which stack it belongs to.
                let condition = lines[number..].iter().take(5).any(|line| {
                    [
                        format!("aws:ResourceTag/{TAG_STACK}:"),
                        format!("aws:RequestTag/{TAG_STACK}:"),
                    ]
                    .iter()
                    .any(|tag| line.trim_start().starts_with(tag.as_str()))
                });
                assert!(condition, "template.yaml:{}: {line}", number + 1);
            } else {
                assert!(line.contains("/${Prefix}--*'"), "template.yaml:{}: {line}", number + 1);
            }
        }
        assert!(own > 10);
    }

    fn id(longest: usize) -> impl Strategy<Value = String> {
        let parts = proptest::collection::vec("[a-z0-9]{1,8}", 0..10);
        ("[a-z][a-z0-9]{0,5}", parts).prop_map(move |(first, parts)| {
            let id = [vec![first], parts].concat().join("-");
            cut(&id, longest).to_owned()
        })
    }

    fn tuple() -> impl Strategy<Value = (String, String, String, RunId, Step)> {
        let run = (0_i64..4_000_000_000, 0_u32..3).prop_map(|(second, reruns)| {
            let first = RunId::for_drop(Timestamp::from_second(second).unwrap(), "b", "k", "v");
            (0..reruns).fold(first, |run, _| run.rerun())
        });
        let step = proptest::sample::select(Step::ALL.to_vec());
        (id(MAX_STACK), id(MAX_ID), id(MAX_ID), run, step)
    }

    /// All names for a tuple, with the longest suffix that the machines append.
    fn all_of((stack, use_case, model, run, step): &(String, String, String, RunId, Step)) -> [String; 4] {
        [
            model_step(stack, use_case, model, run, *step) + "-999",
            preprocess_job(stack, use_case, run) + "-999",
            combine_job(stack, use_case, run) + "-999",
            endpoint(stack, use_case, model, "123456"),
        ]
    }

    proptest! {
        #[test]
        fn every_name_fits_sagemaker_and_belongs_to_its_stack_alone(tuple in tuple(), other in id(MAX_STACK)) {
            for name in all_of(&tuple) {
                prop_assert!(fits_sagemaker(&name), "{}", name);
                let prefix = |stack: &str| name.starts_with(&format!("{stack}--"));
                prop_assert!(prefix(&tuple.0));
                prop_assert_eq!(prefix(&other), other == tuple.0, "{} and {}", name, other);
            }
        }

        #[test]
        fn distinct_tuples_have_distinct_names(one in tuple(), other in tuple()) {
            let mut similar = one.clone();
            // Moves the boundary between use case and model.
            similar.1 = format!("{}-{}", one.1, one.2);
            "m".clone_into(&mut similar.2);
            for other in [other, similar] {
                let (ours, theirs) = (all_of(&one), all_of(&other));
                if (&one.0, &one.1, &one.2) != (&other.0, &other.1, &other.2) {
                    prop_assert_ne!(&ours[0], &theirs[0]);
                    prop_assert_ne!(&ours[3], &theirs[3]);
                }
                if (&one.0, &one.1, &one.3) != (&other.0, &other.1, &other.3) {
                    prop_assert_ne!(&ours[1], &theirs[1]);
                    prop_assert_ne!(&ours[2], &theirs[2]);
                }
            }
            let all: HashSet<String> = all_of(&one).into();
            prop_assert_eq!(all.len(), 4);
        }
    }
}
