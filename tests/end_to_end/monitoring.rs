//! Captured data is judged, reported, and compared with ground truth.

use crate::case::Case;
use crate::data;
use crate::stack::Mail;
use crate::watch::Watched;
use aws_sdk_sfn::types::ExecutionStatus;
use contracts::RunId;
use contracts::monitoring::Payload;
use serde_json::{Value, json};

const MODEL: &str = "xgboost";

/// A change of the document: one model, monitored.
pub const WATCHED: (&str, &str) = ("recipients:", "monitoring: { minimum_rows: 60 }\nrecipients:");

/// Cars with an unknown fuel, every other one without a mileage.
pub fn shifted(mut cars: Vec<(Value, f64)>) -> Vec<(Value, f64)> {
    for (number, (car, _)) in cars.iter_mut().enumerate() {
        car["fuel"] = json!("hydrogen");
        if number % 2 == 0 {
            car.as_object_mut().unwrap().remove("mileage_km");
        }
    }
    cars
}

/// The cars without their prices.
pub fn only(cars: &[(Value, f64)]) -> Vec<Value> {
    cars.iter().map(|(car, _)| car.clone()).collect()
}

fn of_drift(mail: &Mail) -> bool {
    mail.subject.contains("drift")
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn live_data_is_judged_and_people_are_told_once() {
    let case = Case::with("watch", "one-model.yaml", &[WATCHED]).await;
    case.trained("cars.csv", 500).await;
    case.answers(&[MODEL]).await;

    case.send("few", &only(&data::instances(500, 510)), &[MODEL]).await;
    let few = case.watch(MODEL).await;
    few.had(Payload::Waiting);
    assert_eq!(case.bookmark(MODEL).await.unwrap().next_window, 0);

    let ordinary = case.send("usual", &only(&data::instances(510, 700)), &[MODEL]).await;
    let clean = case.watch(MODEL).await;
    assert_eq!(clean.outcome("data"), "clean", "{clean:#?}");
    assert!(clean.window.records >= 200);
    let columns: Vec<&str> = clean.rows.iter().filter_map(|row| row.feature.as_deref()).collect();
    for column in ["year", "mileage_km", "fuel", "color", "prediction"] {
        assert!(columns.contains(&column), "{column} in {columns:?}");
    }
    assert!(!case.mails().iter().any(of_drift), "{:?}", case.mails());
    assert_eq!(case.bookmark(MODEL).await.unwrap().next_window, 1);

    // Nothing is new, so there is nothing to judge and nothing to commit.
    case.watch(MODEL).await.had(Payload::None);

    let strange = shifted(data::instances(700, 900));
    let strange = case.send("strange", &only(&strange), &[MODEL]).await;
    let (first, second) = looks_at_once(&case).await;
    assert_eq!(first.outcome("data"), "drifted");
    let drifted = first.drifted();
    assert!(
        drifted.contains(&"fuel") && drifted.contains(&"mileage_km"),
        "{drifted:?}"
    );
    assert_eq!(second, "busy", "one of two looks starts a run");
    let champion = case.champion(MODEL).await.unwrap();
    assert!(
        first
            .rows
            .iter()
            .all(|row| row.champion.as_ref() == Some(&champion.run_id)),
        "{first:#?}"
    );
    let mail = case.mail("drift", of_drift).await;
    assert!(mail.subject.contains(MODEL), "{mail:?}");
    assert!(
        mail.message.contains("hydrogen") && mail.message.contains("mileage_km"),
        "{mail:?}"
    );
    assert_eq!(mail.message_attributes["severity"], "warning");

    // The same finding is not reported again on the same day.
    let again = case
        .send("again", &only(&shifted(data::instances(900, 1_100))), &[MODEL])
        .await;
    assert_eq!(case.watch(MODEL).await.outcome("data"), "drifted");
    assert_eq!(case.mails().iter().filter(|mail| of_drift(mail)).count(), 1);

    let mut predictions = case.predictions(MODEL).await;
    predictions.retain(|row| ["usual", "strange", "again"].iter().any(|it| row.id.starts_with(it)));
    let mut found: Vec<String> = predictions.iter().map(|row| row.id.clone()).collect();
    let mut sent = [ordinary, strange, again].concat();
    found.sort();
    sent.sort();
    assert_eq!(found, sent, "every record is analysed once");
    case.finish().await;
}

/// Starts two monitoring runs at the same time: the run of one, and the answer that the other got.
async fn looks_at_once(case: &Case) -> (Watched, String) {
    let request = json!({"monitor": {"use_case": case.id, "model": MODEL}});
    let look = || case.stack.call("start-run", &request);
    let (one, other) = tokio::join!(look(), look());
    let mut answers = [one.unwrap(), other.unwrap()];
    answers.sort_by_key(|answer| answer["outcome"] != "started");
    let [started, other] = answers;
    let id = RunId::parse(started["run_id"].as_str().unwrap()).unwrap();
    let watched = case.watched(MODEL, &id, &ExecutionStatus::Succeeded).await;
    (watched, other["outcome"].as_str().unwrap().to_owned())
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn ground_truth_is_joined_whenever_it_comes() {
    let case = Case::with("truth", "one-model.yaml", &[WATCHED]).await;
    case.trained("cars.csv", 600).await;
    case.answers(&[MODEL]).await;

    // Labels for half of the predictions, before these are consolidated; one label matches no prediction.
    let cars = data::instances(600, 800);
    let ids = case.send("early", &only(&cars), &[MODEL]).await;
    let labels: Vec<(String, f64)> = ids.iter().cloned().zip(cars.iter().map(|(_, price)| *price)).collect();
    let nobody = [("nobody#0".to_owned(), 1.0)];
    case.tell("half.csv", &[&labels[..100], &nobody].concat()).await;
    let first = case.watch(MODEL).await;
    assert_eq!(first.outcome("data"), "clean", "{first:#?}");
    assert_eq!(first.outcome("quality"), "clean", "{first:#?}");
    let joined = &first.window.ground_truth;
    assert_eq!(
        (joined.labels, joined.joined, joined.waiting),
        (101, 100, 1),
        "{joined:?}"
    );

    // The other half arrives long after its predictions have been analysed.
    case.tell("other-half.csv", &labels[100..]).await;
    let late = case.watch(MODEL).await;
    assert!(!late.window.has_data, "{late:#?}");
    assert_eq!(late.outcome("quality"), "clean", "{late:#?}");
    assert_eq!(late.window.ground_truth.joined, 100);
    let truths = case.ground_truths(MODEL).await;
    assert_eq!(truths.len(), 200, "each label is joined once");
    let quality: Vec<&str> = late.rows.iter().filter_map(|row| row.metric.as_deref()).collect();
    assert!(quality.contains(&"rmse") && quality.contains(&"mae"), "{quality:?}");

    // The same kind of cars, but they are worth half as much again.
    let cars = data::instances(800, 1_000);
    let ids = case.send("dear", &only(&cars), &[MODEL]).await;
    let dear: Vec<(String, f64)> = ids.into_iter().zip(cars.iter().map(|(_, price)| 1.5 * price)).collect();
    case.tell("dear.csv", &dear).await;
    let drifted = case.watch(MODEL).await;
    assert_eq!(drifted.outcome("data"), "clean", "the cars are as ever: {drifted:#?}");
    assert_eq!(drifted.outcome("quality"), "drifted", "{drifted:#?}");
    let mail = case.mail("drift of the model", of_drift).await;
    assert!(mail.message.contains("rmse"), "{mail:?}");
    case.finish().await;
}
