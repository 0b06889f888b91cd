//! Where things lie: keys in the bucket, parameters in Parameter Store.

use crate::run::RunId;

/// The kinds of files that people drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Rows with their target: starts a training run.
    Training,
}

/// What a dropped key says: its use case and kind. `None` for every other key.
pub fn parse_drop(key: &str) -> Option<(&str, Drop)> {
    let (use_case, rest) = key.split_once('/')?;
    let name = rest.strip_prefix("training/incoming/")?;
    // A key that ends in a slash is a folder that a console has made.
    (crate::names::is_id(use_case) && !name.is_empty() && !name.ends_with('/')).then_some((use_case, Drop::Training))
}

/// `s3://bucket/key`.
pub fn uri(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}

/// Bucket and key of `s3://bucket/key`.
pub fn parse_uri(uri: &str) -> Option<(&str, &str)> {
    uri.strip_prefix("s3://")?
        .split_once('/')
        .filter(|(bucket, _)| !bucket.is_empty())
}

/// Keys of the documents of a use case.
pub mod use_case {
    /// The use-case document, as JSON.
    pub fn config(use_case: &str) -> String {
        format!("use-cases/{use_case}/config.json")
    }

    /// The champion of a model: the truth that Parameter Store mirrors.
    pub fn champion(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/champion.json")
    }

    /// A former or present champion, by the run that made it.
    pub fn history(use_case: &str, model: &str, run: &super::RunId) -> String {
        format!("use-cases/{use_case}/models/{model}/history/{run}.json")
    }

    /// The lease of a model's endpoint.
    pub fn lease(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/lease")
    }

    /// Data capture of one endpoint configuration.
    pub fn capture(use_case: &str, endpoint_config: &str) -> String {
        format!("{use_case}/capture/{endpoint_config}/")
    }
}

/// Keys of a run. Those of folders end in a slash.
#[derive(Clone, Copy, Debug)]
pub struct RunPlaces<'a> {
    /// The use case.
    pub use_case: &'a str,
    /// The run.
    pub run_id: &'a RunId,
}

impl RunPlaces<'_> {
    /// The folder of the run.
    pub fn root(&self) -> String {
        format!("{}/runs/{}/", self.use_case, self.run_id)
    }

    /// The manifest.
    pub fn manifest(&self) -> String {
        self.root() + "run.json"
    }

    /// What people were told of the run's end.
    pub fn notified(&self) -> String {
        self.root() + "notified.json"
    }

    /// The dropped version, copied: jobs read only this.
    pub fn input(&self) -> String {
        self.root() + "input/"
    }

    /// The container's scripts and the document, as they were when the run began.
    pub fn code(&self) -> String {
        self.root() + "code/"
    }

    /// What Preprocess writes: `train/`, `validation/`, `holdout/`, `raw/`, `summary/`.
    pub fn data(&self, part: &str) -> String {
        format!("{}data/{part}/", self.root())
    }

    /// The model archives of transformer and normaliser.
    pub fn features(&self) -> String {
        self.root() + "features/"
    }

    /// What training writes.
    pub fn models(&self, model: &str) -> String {
        format!("{}models/{model}/", self.root())
    }

    /// The holdout, scored by `candidate` or `champion`.
    pub fn holdout_scores(&self, model: &str, by: &str) -> String {
        format!("{}holdout-scores/{model}/{by}/", self.root())
    }

    /// A baseline of a model's candidate: `data` (of the raw columns) or `quality` (of the predictions).
    pub fn baseline(&self, model: &str, of: &str) -> String {
        format!("{}baselines/{model}/{of}/", self.root())
    }

    /// The decision on a model.
    pub fn decision(&self, model: &str) -> String {
        format!("{}decisions/{model}.json", self.root())
    }
}

/// Names in Parameter Store.
pub mod parameters {
    /// The pointer to a use case's document.
    pub fn config(stack: &str, use_case: &str) -> String {
        format!("/drivetrain/{stack}/{use_case}/config")
    }

    /// A parameter of a model: `champion`, `candidate`, `model-name`, `endpoint-name`, `endpoint-config`.
    pub fn model(stack: &str, use_case: &str, model: &str, name: &str) -> String {
        format!("/drivetrain/{stack}/{use_case}/{model}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_dropped_for_training_are_drops() {
        assert_eq!(
            parse_drop("cars/training/incoming/a.csv"),
            Some(("cars", Drop::Training))
        );
        assert_eq!(
            parse_drop("cars/training/incoming/2026/a b.csv"),
            Some(("cars", Drop::Training))
        );
        for key in [
            "cars/training/incoming/",
            "cars/training/incoming/x/",
            "cars/runs/r/input/a.csv",
            "a.csv",
            "/training/incoming/a",
            "Cars/training/incoming/a",
        ] {
            assert_eq!(parse_drop(key), None, "{key}");
        }
    }

    #[test]
    fn uris_are_read_back() {
        assert_eq!(parse_uri(&uri("b", "k/é.csv")), Some(("b", "k/é.csv")));
        assert_eq!(parse_uri("s3:///k"), None);
        assert_eq!(parse_uri("b/k"), None);
    }
}
