//! Ground truth makes no run; what can't be used is told at once.

use crate::account::{BUCKET, account, call_at, dropped, outcome};
use contracts::places::use_case;
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use start_run::Outcome;

const KEY: &str = "cars/ground-truth/incoming/sold.csv";

#[tokio::test]
async fn what_consolidation_can_read_is_accepted() {
    for content in [
        "id,label\na#0,1\n",
        "price,id\n1,a#0\n",
        r#"{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "a#0"}, "eventVersion": "0"}"#,
        r#"{"groundTruthData": {"data": "MTIuNQ==", "encoding": "BASE64"}, "eventMetadata": {"eventId": "a#0"}}"#,
    ] {
        let aws = account(&json!({}));
        assert_eq!(
            outcome(&aws, dropped(&aws, KEY, content)).await,
            Outcome::Accepted,
            "{content}"
        );
        assert!(aws.published().is_empty() && aws.executions().is_empty());
    }
}

#[tokio::test]
async fn anything_else_is_told() {
    for (content, reason) in [
        ("id,worth\na#0,1\n", "lacks the column `label`"),
        ("row,label\na#0,1\n", "lacks the column `id`"),
        (
            "ID,Price\na#0,1\n",
            "lacks the columns `id` (it has `ID`), `label` or `price` (it has `Price`)",
        ),
        (
            "id,label\na#0,1\n\nb#0,2\n\"c#0,3\nd#0,4\ne#0,5\n",
            "ends within quotes: line 5 opens some that nothing closes",
        ),
        ("id,label\r\na#0,1\r\n\"c#0,3\r\n", "ends within quotes: line 3"),
        ("id,\"label\na#0,1\n", "ends within quotes: line 1"),
        ("{\"id\": 1}\n", "no ground truth"),
        (
            r#"{"groundTruthData": {"data": "300000", "encoding": "BASE64"}, "eventMetadata": {"eventId": "a#0"}}"#,
            "whose `data` is not what its `encoding` says",
        ),
        // Whichever was taken, it could be the wrong one.
        (
            "id,label,price\na#0,5,6\n",
            "has the columns `label` and `price`: either could be the label",
        ),
        ("", "is empty"),
    ] {
        let aws = account(&json!({}));
        assert_eq!(
            outcome(&aws, dropped(&aws, KEY, content)).await,
            Outcome::Refused,
            "{content}"
        );
        assert!(
            aws.published()[0].message.contains(reason),
            "{}",
            aws.published()[0].message
        );
    }
}

fn verdicts(aws: &FakeAws, folder: &str) -> Vec<Value> {
    let keys = aws.keys(BUCKET, folder);
    keys.iter().map(|key| aws.object_json(BUCKET, key).unwrap()).collect()
}

#[tokio::test]
async fn what_is_said_of_a_version_is_said_once() {
    let aws = account(&json!({}));
    let event = dropped(&aws, KEY, "id,worth\na#0,1\n");
    for _ in 0..6 {
        assert_eq!(outcome(&aws, event.clone()).await, Outcome::Refused);
    }
    assert_eq!(aws.published().len(), 1);
    let refused = verdicts(&aws, &use_case::refused_ground_truth("cars"));
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (&refused[0]["object"]["key"], &refused[0]["told"]),
        (&json!(KEY), &json!(true))
    );

    // Mended, it is another version.
    let event = dropped(&aws, KEY, "id,label\na#0,1\n");
    for _ in 0..2 {
        assert_eq!(outcome(&aws, event.clone()).await, Outcome::Accepted);
    }
    let accepted = verdicts(&aws, &use_case::accepted_ground_truth("cars"));
    assert_eq!(accepted.len(), 1);
    assert_eq!(
        accepted[0]["object"]["version_id"],
        event["detail"]["object"]["version-id"]
    );
    assert_eq!(aws.published().len(), 1);
}

#[tokio::test]
async fn odd_names_are_answered_as_any_other() {
    for name in [".csv", &format!("{}.csv", "n".repeat(252))] {
        let key = format!("cars/ground-truth/incoming/{name}");
        let aws = account(&json!({}));
        assert_eq!(
            outcome(&aws, dropped(&aws, &key, "id,label\na#0,1\n")).await,
            Outcome::Accepted
        );
        assert_eq!(outcome(&aws, dropped(&aws, &key, "id\na#0\n")).await, Outcome::Refused);
        assert_eq!(aws.published().len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_that_was_not_told_is_told_by_the_next_call() {
    let aws = account(&json!({}));
    let event = dropped(&aws, KEY, "id,worth\na#0,1\n");
    aws.fail_next("Publish", Reply::error(500, "InternalError", "try again"));
    let at = |minute: &str| format!("2026-11-22T18:{minute}Z");
    call_at(&aws, event.clone(), &at("00:00")).await.unwrap_err();
    // Whoever was to tell it may still be at it.
    assert_eq!(
        call_at(&aws, event.clone(), &at("00:10")).await.unwrap().outcome,
        Outcome::Refused
    );
    assert!(aws.published().is_empty());
    for minute in ["01:00", "02:00"] {
        let answer = call_at(&aws, event.clone(), &at(minute)).await.unwrap();
        assert_eq!(answer.outcome, Outcome::Refused);
        assert!(answer.reason.unwrap().contains("lacks the column `label`"));
    }
    assert_eq!(aws.published().len(), 1);
}
