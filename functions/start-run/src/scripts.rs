//! The scripts of the processing container, built in: what a run's jobs read is what this function was built with,
//! and stays with the run.

/// Name and text of each script.
pub(crate) const SCRIPTS: [(&str, &str); 10] = [
    ("preprocess.py", include_str!("../../../processing/preprocess.py")),
    (
        "prepare_scoring.py",
        include_str!("../../../processing/prepare_scoring.py"),
    ),
    ("job.py", include_str!("../../../processing/job.py")),
    ("cleaning.py", include_str!("../../../processing/cleaning.py")),
    ("fitting.py", include_str!("../../../processing/fitting.py")),
    ("files.py", include_str!("../../../processing/files.py")),
    ("unreadable.py", include_str!("../../../processing/unreadable.py")),
    ("dropped.py", include_str!("../../../processing/dropped.py")),
    ("features.py", include_str!("../../../processing/features.py")),
    ("inference.py", include_str!("../../../processing/inference.py")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_script_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../processing");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".py"))
            .collect();
        let built_in: BTreeSet<String> = SCRIPTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(built_in, there);
    }
}
