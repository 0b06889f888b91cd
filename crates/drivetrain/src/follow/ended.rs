//! How a run ended, for people and programs.

use super::{Followed, decision, preprocessed};
use crate::target::{Platform, Target};
use crate::ui;
use anyhow::Result;
use contracts::notice::plain;
use contracts::scoring::ScoringSummary;
use contracts::{RunId, Verdict, places, words};
use serde::Serialize;

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct Ended {
    /// The run.
    pub run_id: RunId,
    /// How its execution ended: `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// Error and cause in words, if it failed.
    pub failure: Option<String>,
    /// Seconds from the execution's start to its end.
    pub seconds: f64,
    /// A training run's decisions, one per model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelEnded>,
    /// Rows of a training run's files that were not trained on: a sentence for each reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What became of a scoring run's rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scored>,
}

/// The decision of a training run on a model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelEnded {
    /// The model.
    pub model: String,
    /// The decision; `None` when the run ended before one was made.
    pub decision: Option<Verdict>,
    /// The reason in one sentence.
    pub reason: String,
}

/// The result of a scoring run.
#[derive(Clone, Debug, Serialize)]
pub struct Scored {
    /// The folder of its files.
    pub folder: String,
    /// What became of its rows.
    #[serde(flatten)]
    pub summary: ScoringSummary,
}

impl Ended {
    /// How a training run of these models ended.
    ///
    /// # Errors
    /// A decision can't be read.
    pub async fn of_training(
        target: &Target,
        platform: &Platform,
        use_case: &str,
        run_id: &RunId,
        models: &[String],
        followed: Followed,
    ) -> Result<Self> {
        let mut ended = Self::of(run_id, followed);
        for model in models {
            let decision = decision(target, platform, use_case, run_id, model).await?;
            ended.models.push(ModelEnded {
                model: model.clone(),
                decision: decision.as_ref().and_then(|it| it.decision),
                reason: decision.map_or_else(|| "the run has left no decision".to_owned(), |it| it.reason),
            });
        }
        let summary = preprocessed(target, platform, use_case, run_id).await?;
        ended.left_out = summary.dropped_in_words();
        ended.left_out.extend(summary.duplicates_in_words());
        Ok(ended)
    }

    /// How a scoring run ended.
    ///
    /// # Errors
    /// Its summary can't be read.
    pub async fn of_scoring(
        target: &Target,
        platform: &Platform,
        use_case: &str,
        run_id: &RunId,
        followed: Followed,
    ) -> Result<Self> {
        let folder = places::use_case::scored(use_case, run_id);
        let summary = target.document(platform, &format!("{folder}summary.json")).await?;
        let mut ended = Self::of(run_id, followed);
        ended.scoring = summary.map(|summary| Scored {
            folder: places::uri(&platform.bucket, &folder),
            summary,
        });
        Ok(ended)
    }

    fn of(run_id: &RunId, followed: Followed) -> Self {
        Self {
            run_id: run_id.clone(),
            status: followed.status,
            failure: followed.failure,
            seconds: followed.seconds,
            models: Vec::new(),
            left_out: Vec::new(),
            scoring: None,
        }
    }

    /// Whether the execution did what it should. A rejected candidate is no failure.
    pub fn is_good(&self) -> bool {
        self.status == "SUCCEEDED"
    }

    /// The end of the run as text.
    pub fn in_words(&self) -> String {
        let mut text = format!("run {} {} after {:.1} s\n", self.run_id, self.status, self.seconds);
        if let Some(failure) = &self.failure {
            text += &format!("  {failure}\n");
        }
        if !self.models.is_empty() {
            let mut rows = vec![["model", "decision", "reason"].map(str::to_owned).to_vec()];
            for it in &self.models {
                let decision = it.decision.map_or_else(|| "none".to_owned(), |it| it.to_string());
                rows.push(vec![it.model.clone(), decision, it.reason.clone()]);
            }
            text += &ui::table(&rows);
        }
        for rows in &self.left_out {
            text += &format!("  {}\n", plain(rows));
        }
        if let Some(Scored { folder, summary }) = &self.scoring {
            text += &format!(
                "{} rows scored, {} set aside, in {folder}\n",
                words::count(summary.scored),
                words::count(summary.rejected)
            );
            for (reason, rows) in &summary.reasons {
                text += &format!("  {}: {}\n", words::counted(*rows, "row", "rows"), plain(reason));
            }
            for model in &summary.absent {
                let why = summary.absent_because.get(model).map(String::as_str);
                text += &format!("  without {model}: {}\n", why.unwrap_or("it did not answer"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ended() -> Ended {
        Ended {
            run_id: RunId::parse("20261122t183000z-ab12cd34").unwrap(),
            status: "SUCCEEDED".to_owned(),
            failure: None,
            seconds: 12.34,
            models: Vec::new(),
            left_out: Vec::new(),
            scoring: None,
        }
    }

    #[test]
    fn decisions_stand_in_a_table() {
        let mut ended = ended();
        ended.models.push(ModelEnded {
            model: "xgboost".to_owned(),
            decision: Some(Verdict::RejectedChampion),
            reason: "4400 is no better than 4390".to_owned(),
        });
        ended.left_out.push("9 of 80 rows have no price".to_owned());
        let text = ended.in_words();
        assert!(
            text.starts_with("run 20261122t183000z-ab12cd34 SUCCEEDED after 12.3 s\n"),
            "{text}"
        );
        assert!(
            text.contains("xgboost  rejected-champion  4400 is no better than 4390"),
            "{text}"
        );
        assert!(text.ends_with("  9 of 80 rows have no price\n"), "{text}");
        assert!(ended.is_good());
    }

    #[test]
    fn a_scored_file_says_what_was_set_aside_and_who_was_absent() {
        let mut ended = ended();
        let summary = serde_json::from_value(json!({
            "run_id": "20261122t183000z-ab12cd34", "file": "a.csv", "rows": 3, "scored": 1, "rejected": 2,
            "reasons": [["no year", 2]], "models": {}, "absent": ["a", "b"], "absent_because": {"b": "the job was stopped"},
        }));
        ended.scoring = Some(Scored {
            folder: "s3://b/cars/scored/r/".to_owned(),
            summary: summary.unwrap(),
        });
        let text = ended.in_words();
        for line in [
            "1 rows scored, 2 set aside, in s3://b/cars/scored/r/",
            "  2 rows: no year",
            "  without a: it did not answer",
            "  without b: the job was stopped",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
