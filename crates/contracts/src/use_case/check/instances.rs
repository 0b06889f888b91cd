//! Instance types: their form, and which stages can use them. Only AWS knows which of them a region and an account
//! have.

use super::Found;
use crate::use_case::UseCase;

/// Endings of the valid sizes. Only `xlarge` may follow a number, as in `2xlarge`.
const SIZES: [&str; 4] = ["medium", "large", "xlarge", "metal"];
/// Burstable instances and inference accelerators serve endpoints, but can't train.
const NOT_FOR_TRAINING: [&str; 3] = ["t2", "t3", "inf1"];
/// Transform jobs, which run on `preprocessing`, and processing jobs can't use inference accelerators.
const NOT_FOR_JOBS: [&str; 3] = ["t2", "inf1", "inf2"];

pub(super) fn instances(document: &UseCase, found: &mut Found) {
    one(
        "preprocessing.instance_type",
        &document.preprocessing.instance_type,
        &NOT_FOR_JOBS,
        "processing and transform jobs",
        found,
    );
    for (position, model) in document.models.iter().enumerate() {
        one(
            &format!("models[{position}].training.instance_type"),
            &model.training.instance_type,
            &NOT_FOR_TRAINING,
            "training jobs",
            found,
        );
        one(
            &format!("models[{position}].endpoint.instance_type"),
            &model.endpoint.instance_type,
            &[],
            "endpoints",
            found,
        );
    }
}

fn one(path: &str, name: &str, unfit: &[&str], stage: &str, found: &mut Found) {
    match family(name) {
        None => found.add(
            path,
            format!("`{name}` is not an instance type: their form is `ml.<family>.<size>`, as in `ml.m5.large`"),
        ),
        Some(family) if unfit.contains(&family) => {
            found.add(
                path,
                format!("`{name}` is not available for {stage}: use another, such as `ml.m5.xlarge`"),
            );
        }
        Some(_) => {}
    }
}

/// The family in `ml.<family>.<size>`: `m5` in `ml.m5.2xlarge`.
fn family(name: &str) -> Option<&str> {
    let (family, size) = name.strip_prefix("ml.")?.split_once('.')?;
    let letters = family.trim_start_matches(|it: char| it.is_ascii_lowercase());
    let sound = letters.len() < family.len()
        && letters.starts_with(|it: char| it.is_ascii_digit())
        && letters
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    let times = size.trim_start_matches(|it: char| it.is_ascii_digit());
    let size_sound = SIZES.contains(&times) && (times.len() == size.len() || times == "xlarge");
    (sound && size_sound).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_a_form() {
        for sound in [
            "ml.m5.large",
            "ml.m5.24xlarge",
            "ml.g4dn.xlarge",
            "ml.p4de.24xlarge",
            "ml.t3.medium",
            "ml.c6i.metal",
        ] {
            assert!(family(sound).is_some(), "{sound}");
        }
        for wrong in [
            "m5.large",
            "ml.m5",
            "ml.m5.huge",
            "ml.m5.2large",
            "ml.5m.large",
            "ml.m5.large ",
            "ML.m5.large",
            "",
        ] {
            assert_eq!(family(wrong), None, "{wrong}");
        }
    }
}
