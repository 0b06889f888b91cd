//! A dropped file becomes a scored one.

use crate::case::{Case, Run};
use crate::data;
use crate::monitoring::{WATCHED, only};
use crate::wait;
use aws_sdk_sfn::types::ExecutionStatus;
use contracts::drift::Status;
use contracts::places;
use contracts::run::RunState;
use contracts::scoring::ScoringSummary;
use contracts::{Manifest, RunId, Verdict};

use std::collections::{BTreeMap, HashSet};

const MODELS: [&str; 2] = ["linear-learner", "xgboost"];

/// A scored file: its header and its rows.
pub struct Scored {
    pub summary: ScoringSummary,
    pub rows: Vec<BTreeMap<String, String>>,
    pub rejects: Vec<BTreeMap<String, String>>,
}

impl Case {
    /// Drops a file for scoring.
    pub async fn score(&self, name: &str, body: impl Into<Vec<u8>>) -> Run {
        let key = places::incoming(&self.id, places::Drop::Scoring) + name;
        let put = self.stack.put(&key, body).await;
        Run {
            id: RunId::for_drop(put.last_modified, &self.stack.bucket, &key, &put.version_id),
            key,
            put,
        }
    }

    /// Waits until a scoring run has succeeded; returns its result.
    pub async fn scored(&self, run: &Run, name: &str) -> Scored {
        self.ended(&self.stack.scoring_arn, &run.id, &ExecutionStatus::Succeeded)
            .await;
        let folder = places::use_case::scored(&self.id, &run.id);
        let summary: ScoringSummary = self.stack.document(&format!("{folder}summary.json")).await.unwrap();
        let table = async |name: String| match self.stack.get(&format!("{folder}{name}")).await {
            Some(bytes) => table(&bytes),
            None => Vec::new(),
        };
        let scored = Scored {
            rows: table(name.to_owned()).await,
            rejects: table("rejects.csv".to_owned()).await,
            summary,
        };
        assert_eq!(scored.summary.scored, scored.rows.len() as u64);
        assert_eq!(scored.summary.rejected, scored.rejects.len() as u64);
        assert_eq!(
            scored.summary.rows,
            scored.summary.scored + scored.summary.rejected,
            "rows are lost or doubled"
        );
        scored
    }
}

/// The rows of a CSV file, by column. A row that was rejected because of its number of fields is kept with that number.
fn table(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        let fields = header.iter().zip(record.iter());
        fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_file_is_scored_as_requests_are_and_bad_rows_are_set_aside() {
    let case = Case::with("score", "two-models.yaml", &[WATCHED]).await;
    case.trained("cars.csv", 400).await;
    case.answers(&MODELS).await;

    // Columns in another order, one that no model knows, a line break within quotes, and rows that can't be scored.
    let cars = data::instances(400, 460);
    let mut csv = "note,fuel,year,color,mileage_km\n".to_owned();
    for (number, (car, _)) in cars.iter().enumerate() {
        let text = |name: &str| car[name].to_string().trim_matches('"').to_owned();
        let note = if number == 3 {
            "\"two\nlines, \"\"quoted\"\"\""
        } else {
            "x"
        };
        csv += &format!(
            "{note},{},{},{},{}\n",
            text("fuel"),
            text("year"),
            text("color"),
            text("mileage_km")
        );
    }
    csv += "no year,petrol,,red,1000\nno such fuel,steam,2015,red,1000\ntoo few,petrol\n";
    let run = case.score("cars.csv", csv.as_str()).await;
    let scored = case.scored(&run, "cars.csv").await;
    assert_eq!((scored.rows.len(), scored.rejects.len()), (60, 3));
    assert_eq!(scored.rows[3]["note"], "two\nlines, \"quoted\"");
    let reasons: Vec<&str> = scored.rejects.iter().map(|row| row["reason"].as_str()).collect();
    assert!(
        reasons[0].contains("year") && reasons[1].contains("fuel"),
        "{reasons:?}"
    );
    for (number, row) in scored.rows.iter().enumerate() {
        assert_eq!(row["inference_id"], format!("{}#{number}", run.id));
    }

    // The API gives the same answers for the same rows, to the last digit.
    let answer = case.predict_json(&only(&cars)).await;
    for (row, prediction) in scored.rows.iter().zip(answer.predictions()) {
        let number = |name: &str| row[name].parse::<f64>().unwrap();
        assert_eq!(Some(number("price_predicted")), prediction["value"].as_f64(), "{row:?}");
        for model in MODELS {
            assert_eq!(
                Some(number(model)),
                prediction["models"][model]["value"].as_f64(),
                "{row:?}"
            );
        }
    }

    let mail = case
        .mail("the end of the scoring run", |mail| {
            mail.message.contains(&run.id.to_string()) && mail.subject.contains("scor")
        })
        .await;
    assert!(mail.message.contains("60") && mail.message.contains('3'), "{mail:?}");

    // Scored rows are monitored like requests.
    let watched = case.watch("xgboost").await;
    assert_eq!(watched.window.batch_records, 60, "{watched:#?}");
    assert_eq!(watched.window.scoring_runs.first(), Some(&run.id));
    let reported = case.predictions("xgboost").await;
    let batch: Vec<_> = reported.iter().filter(|row| row.source == "batch").collect();
    assert_eq!(batch.len(), 60);
    assert!(watched.rows.iter().all(|row| row.status != Some(Status::MissingColumn)));

    // One row is enough for a file, and a file that can't be used is refused with the reason.
    let one = case
        .score("one.csv", "year,mileage_km,fuel,color\n2015,80000,petrol,red\n")
        .await;
    assert_eq!(case.scored(&one, "one.csv").await.rows.len(), 1);
    case.score("bad.csv", "year,color\n2015,red\n").await;
    let mail = case.mail("the refusal", |mail| mail.subject.contains("bad.csv")).await;
    assert!(mail.message.contains("fuel"), "{mail:?}");
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_file_waits_for_the_first_champion() {
    let case = Case::new("early", "one-model.yaml").await;
    let run = case
        .score(
            "early.csv",
            "year,mileage_km,fuel,color\n2015,80000,petrol,red\n2016,1,diesel,\n",
        )
        .await;
    let mail = case
        .mail("that it waits", |mail| mail.message.contains("early.csv"))
        .await;
    assert!(mail.message.contains("champion"), "{mail:?}");
    // The notice is sent first: if a call dies in between, people are notified again rather than never.
    wait::until("the run waits", wait::MOMENT, async || {
        let manifest: Manifest = case.stack.document(&case.places(&run.id).manifest()).await?;
        (manifest.state == RunState::Waiting).then_some(())
    })
    .await;

    let (training, _) = case.trained("cars.csv", 300).await;
    let scored = case.scored(&run, "early.csv").await;
    assert_eq!(scored.rows.len(), 2);
    assert_eq!(scored.summary.models["xgboost"], training.id);
    let waiting = case.stack.keys(&places::use_case::waiting(&case.id)).await;
    assert_eq!(waiting, Vec::<String>::new());
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn one_run_uses_one_champion_while_another_is_exported() {
    let case = Case::new("change", "one-model.yaml").await;
    let (first, _) = case.trained("cars.csv", 60).await;
    let next = case.drop("cars.csv", data::cars(500)).await;
    let mut runs = Vec::new();
    // Several files, before, during and after the change of the champion.
    let mut number = 0;
    while case.decisions(&next.id).await.values().all(|it| it.decision.is_none()) {
        let name = format!("part-{number}.csv");
        let body = format!("year,mileage_km,fuel,color\n2015,{number},petrol,red\n2016,{number},diesel,red\n");
        runs.push((case.score(&name, body.as_str()).await, name));
        number += 1;
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        assert!(number < 60, "the training run does not end");
    }
    case.succeeded(&next.id)
        .await
        .decided(&[("xgboost", Verdict::Exported)]);
    let name = "last.csv".to_owned();
    let body = "year,mileage_km,fuel,color\n2015,1,petrol,red\n";
    runs.push((case.score(&name, body).await, name));

    let mut versions = Vec::new();
    for (run, name) in &runs {
        let scored = case.scored(run, name).await;
        let version = &scored.summary.models["xgboost"];
        assert!([&first.id, &next.id].contains(&version), "{version}");
        // The answers are under the configuration of that champion, and of no other.
        let captured = case.stack.keys(&format!("{}/capture/", case.id)).await;
        let own: Vec<&String> = captured
            .iter()
            .filter(|key| key.contains(&format!("batch/{}", run.id)))
            .collect();
        assert_eq!(own.len(), 1, "{captured:?}");
        let of_version = case.names_of("xgboost", version);
        assert!(own[0].contains(&of_version), "{own:?} is not of {version}");
        versions.push(version.clone());
    }
    let different: HashSet<&RunId> = versions.iter().collect();
    assert_eq!(different.len(), 2, "{versions:?}");
    assert_eq!(versions.last(), Some(&next.id));
    wait::until("all scoring runs are told", wait::MOMENT, async || {
        let told = case.mails().iter().filter(|mail| mail.subject.contains("scor")).count();
        (told == runs.len()).then_some(())
    })
    .await;
    case.finish().await;
}
