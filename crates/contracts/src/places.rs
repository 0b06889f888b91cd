//! Where documents and files are kept: keys in the bucket, parameters in Parameter Store.

use crate::run::RunId;

/// The kinds of files that users drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Rows with the target: starts a training run.
    Training,
    /// Rows without the target: starts a scoring run.
    Scoring,
    /// The true values for earlier predictions, which are joined with them.
    GroundTruth,
}

impl Drop {
    /// The folder of the use case that files of this kind are dropped in, without slashes.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Scoring => "scoring",
            Self::GroundTruth => "ground-truth",
        }
    }
}

/// The folder for dropped files of one kind.
pub fn incoming(use_case: &str, drop: Drop) -> String {
    format!("{use_case}/{}/incoming/", drop.folder())
}

/// The use case and kind of a dropped file, read from its key. `None` for every other key.
pub fn parse_drop(key: &str) -> Option<(&str, Drop)> {
    let (use_case, rest) = key.split_once('/')?;
    let (folder, rest) = rest.split_once('/')?;
    let name = rest.strip_prefix("incoming/")?;
    let kinds = [Drop::Training, Drop::Scoring, Drop::GroundTruth];
    let drop = kinds.into_iter().find(|kind| kind.folder() == folder)?;
    // A key that ends in a slash is a folder that was created in a console.
    (crate::names::is_id(use_case) && !name.is_empty() && !name.ends_with('/')).then_some((use_case, drop))
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

/// What the last ticks found out about endpoints; see [`crate::endpoints::Seen`].
pub const ENDPOINTS: &str = "platform/endpoints.json";

/// The page that lists all use cases. It leads to their dashboards by addresses relative to it.
pub const ALL_DASHBOARDS: &str = "reporting/dashboard.html";

/// Keys of the documents of a use case.
pub mod use_case {
    /// The folder that holds one folder for each use case.
    pub const ALL: &str = "use-cases/";

    /// The use-case document, as JSON.
    pub fn config(use_case: &str) -> String {
        format!("use-cases/{use_case}/config.json")
    }

    /// The champion of a model: the authoritative document, which Parameter Store mirrors.
    pub fn champion(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/champion.json")
    }

    /// A former or present champion, by the run that made it.
    pub fn history(use_case: &str, model: &str, run: &super::RunId) -> String {
        format!("{}{run}.json", histories(use_case, model))
    }

    /// The folder of a model's former and present champions.
    pub fn histories(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/history/")
    }

    /// The last promotion of a model that was requested; see [`crate::promotion::PromotionClaim`].
    pub fn promotion(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/promotion.json")
    }

    /// The lease of a model's endpoint.
    pub fn lease(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/lease")
    }

    /// Data capture of one endpoint configuration. SageMaker writes `<endpoint>/<variant>/yyyy/mm/dd/hh/*.jsonl` below
    /// it; the answers of scoring runs are kept under `batch/`.
    pub fn capture(use_case: &str, endpoint_config: &str) -> String {
        format!("{use_case}/capture/{endpoint_config}/")
    }

    /// How far the monitoring of a model has come; see [`crate::monitoring::Bookmark`].
    pub fn bookmark(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/bookmark.json")
    }

    /// The last monitoring run of a model that was started; see [`crate::monitoring::Watch`].
    pub fn watch(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/watch.json")
    }

    /// The last finding about a model's drift that was sent to people; see [`crate::monitoring::Finding`].
    pub fn finding(use_case: &str, model: &str) -> String {
        format!("use-cases/{use_case}/models/{model}/finding.json")
    }

    /// The runs that drift has started; see [`crate::monitoring::Retrainings`].
    pub fn retrainings(use_case: &str) -> String {
        format!("use-cases/{use_case}/retrainings.json")
    }

    /// When the dashboard's datasets were last refreshed.
    pub fn refreshed(use_case: &str) -> String {
        format!("use-cases/{use_case}/dashboard.json")
    }

    /// What the page of all use cases shows of this one.
    pub fn overview(use_case: &str) -> String {
        format!("use-cases/{use_case}/overview.json")
    }

    /// The folder of a model's monitoring runs.
    pub fn monitoring(use_case: &str, model: &str) -> String {
        format!("{use_case}/monitoring/{model}/")
    }

    /// The folder of scoring runs that wait for a champion: one empty document for each, named after the run.
    pub fn waiting(use_case: &str) -> String {
        format!("use-cases/{use_case}/waiting/")
    }

    /// The folder of runs that were claimed but are not started yet: the [`crate::Manifest`] of each, named after the
    /// run. A tick finds here what a call that died has left unfinished.
    pub fn claimed(use_case: &str) -> String {
        format!("use-cases/{use_case}/claimed/")
    }

    /// The folder of queued training runs: one empty document for each, named after the run.
    pub fn queued(use_case: &str) -> String {
        format!("use-cases/{use_case}/queued/")
    }

    /// The training runs that are under way; see [`crate::queue::Trainings`].
    pub fn trainings(use_case: &str) -> String {
        format!("use-cases/{use_case}/trainings.json")
    }

    /// The folder of files that people have not been notified of yet; see [`crate::queue::Untold`].
    pub fn untold(use_case: &str, why: crate::queue::Why) -> String {
        format!("use-cases/{use_case}/untold/{}/", why.as_str())
    }

    /// When people were notified of such files; see [`crate::queue::Telling`].
    pub fn telling(use_case: &str) -> String {
        format!("use-cases/{use_case}/telling.json")
    }

    /// The last finding about the use case itself that was sent to people; see [`crate::monitoring::Finding`].
    pub fn trouble(use_case: &str) -> String {
        format!("use-cases/{use_case}/trouble.json")
    }

    /// The folder of accepted ground truth: one [`crate::monitoring::GroundTruthFile`] for each version, named by time.
    pub fn accepted_ground_truth(use_case: &str) -> String {
        format!("use-cases/{use_case}/ground-truth/accepted/")
    }

    /// The folder of refused ground truth, in the same form.
    pub fn refused_ground_truth(use_case: &str) -> String {
        format!("use-cases/{use_case}/ground-truth/refused/")
    }

    /// Predictions of a model joined with their ground truth, as rows to train on.
    pub fn labelled(use_case: &str, model: &str) -> String {
        format!("{use_case}/labelled/{model}/")
    }

    /// The folder of a scoring run's results.
    pub fn scored(use_case: &str, run: &super::RunId) -> String {
        format!("{use_case}/scored/{run}/")
    }

    /// The folder of results for people: the dashboard, and the files of each [`super::Table`].
    pub fn reporting(use_case: &str) -> String {
        format!("{use_case}/reporting/")
    }

    /// The dashboard of the use case.
    pub fn dashboard(use_case: &str) -> String {
        reporting(use_case) + "dashboard.html"
    }
}

/// The name of a holdout's file in its folder.
pub const HOLDOUT_FILE: &str = "holdout.csv";

/// Prefix that marks the holdout of a run among those that its candidate is judged on: `new.00000000.csv` and so on.
pub const HOLDOUT_NEW: &str = "new.";

/// Prefix that marks a champion's holdout among those that a candidate is judged on.
pub fn holdout_of(champion: &RunId) -> String {
    format!("champion-{champion}.")
}

/// Keys of a run. Keys of folders end in a slash.
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

    /// The record of the notice that was sent about the run's end.
    pub fn notified(&self) -> String {
        self.root() + "notified.json"
    }

    /// The copy of the dropped version: jobs read only this.
    pub fn input(&self) -> String {
        self.root() + "input/"
    }

    /// The container's scripts and the document, as they were when the run began.
    pub fn code(&self) -> String {
        self.root() + "code/"
    }

    /// A folder of Preprocess's output: `train/`, `validation/`, `holdout/`, `raw/` or `summary/`.
    pub fn data(&self, part: &str) -> String {
        format!("{}data/{part}/", self.root())
    }

    /// The model archives of transformer and normaliser.
    pub fn features(&self) -> String {
        self.root() + "features/"
    }

    /// The output of training.
    pub fn models(&self, model: &str) -> String {
        format!("{}models/{model}/", self.root())
    }

    /// The file of a holdout in its folder `data/holdout/`.
    pub fn holdout(&self) -> String {
        self.data("holdout") + HOLDOUT_FILE
    }

    /// The holdouts that a model's candidate is judged on: the one of this run, in files that begin with
    /// [`HOLDOUT_NEW`], and the champion's, in files that begin with [`holdout_of`]. The files of their scores have the
    /// same names with `.out` appended.
    pub fn judged(&self, model: &str) -> String {
        format!("{}judged/{model}/", self.root())
    }

    /// The scores of the holdouts by `candidate` or `champion`.
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

/// Keys of a monitoring run of one model. Keys of folders end in a slash.
#[derive(Clone, Copy, Debug)]
pub struct MonitoringPlaces<'a> {
    /// The use case.
    pub use_case: &'a str,
    /// The model.
    pub model: &'a str,
    /// The run.
    pub run_id: &'a RunId,
}

impl MonitoringPlaces<'_> {
    /// The folder of the run.
    pub fn root(&self) -> String {
        format!("{}{}/", use_case::monitoring(self.use_case, self.model), self.run_id)
    }

    /// The result of consolidation; see [`crate::monitoring::Window`].
    pub fn window(&self) -> String {
        self.root() + "window.json"
    }

    /// The explicit list of the window's capture files; see [`crate::monitoring::Sources`].
    pub fn sources(&self) -> String {
        self.root() + "sources.json"
    }

    /// The bookmark that is committed when the run has succeeded.
    pub fn next_bookmark(&self) -> String {
        self.root() + "next-bookmark.json"
    }

    /// Consolidated input: `data` (raw columns and prediction), `quality` (id, label, prediction), `records`,
    /// `ground-truth`, `labelled`, `waiting`.
    pub fn input(&self, part: &str) -> String {
        format!("{}input/{part}/", self.root())
    }

    /// The analyzer's output for `data` or `quality`.
    pub fn analysis(&self, of: &str) -> String {
        format!("{}{of}/", self.root())
    }
}

/// Partitioned files for queries: `<use-case>/reporting/<table>/day=<yyyy-mm-dd>/model=<model>/<name>`. Tables are
/// partitioned by use case and day only: Athena can project days, but can't know the models of a use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// One row for each feature and window: [`crate::reporting::DriftRow`].
    Drift,
    /// One row for each prediction: [`crate::reporting::PredictionRow`].
    Predictions,
    /// One row for each prediction that has its ground truth: [`crate::reporting::GroundTruthRow`].
    GroundTruth,
    /// One row for each model and run: [`crate::reporting::RunRow`].
    Runs,
}

impl Table {
    /// Name of the folder and of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Predictions => "predictions",
            Self::GroundTruth => "ground_truth",
            Self::Runs => "runs",
        }
    }

    /// The folder of all files of a use case.
    pub fn folder(self, use_case: &str) -> String {
        format!("{}{}/", use_case::reporting(use_case), self.as_str())
    }

    /// The use case of a key of the table's files; `None` for every other key.
    pub fn use_case_of(self, key: &str) -> Option<&str> {
        let (use_case, _) = key.split_once('/')?;
        let is_ours = crate::names::is_id(use_case) && key.starts_with(&self.folder(use_case));
        is_ours.then_some(use_case)
    }

    /// The key of one file; `day` is a day in UTC.
    pub fn key(self, use_case: &str, model: &str, day: jiff::civil::Date, name: &str) -> String {
        format!("{}day={day}/model={model}/{name}", self.folder(use_case))
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
    fn only_files_in_incoming_folders_are_drops() {
        assert_eq!(parse_drop("cars/scoring/incoming/a.csv"), Some(("cars", Drop::Scoring)));
        assert_eq!(
            parse_drop("cars/ground-truth/incoming/a.csv"),
            Some(("cars", Drop::GroundTruth))
        );
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
            "cars/scored/incoming/a.csv",
            "a.csv",
            "/training/incoming/a",
            "Cars/training/incoming/a",
        ] {
            assert_eq!(parse_drop(key), None, "{key}");
        }
    }

    #[test]
    fn a_reported_file_says_its_use_case() {
        let key = Table::Runs.key("cars", "m", "2026-11-22".parse().unwrap(), "r.jsonl");
        assert_eq!(Table::Runs.use_case_of(&key), Some("cars"));
        for key in [
            "cars/reporting/drift/day=2026-11-22/model=m/r.jsonl",
            "cars/training/incoming/reporting/runs/a.csv",
            "Cars/reporting/runs/day=2026-11-22/model=m/r.jsonl",
            "reporting/runs/a",
        ] {
            assert_eq!(Table::Runs.use_case_of(key), None, "{key}");
        }
    }

    #[test]
    fn uris_are_read_back() {
        assert_eq!(parse_uri(&uri("b", "k/é.csv")), Some(("b", "k/é.csv")));
        assert_eq!(parse_uri("s3:///k"), None);
        assert_eq!(parse_uri("b/k"), None);
    }
}
