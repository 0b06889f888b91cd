//! Ground truth makes no run; what can't be used is told at once.

use crate::account::{account, dropped, outcome};
use serde_json::json;
use start_run::Outcome;

const KEY: &str = "cars/ground-truth/incoming/sold.csv";

#[tokio::test]
async fn what_consolidation_can_read_is_accepted() {
    for content in [
        "id,label\na#0,1\n",
        "price,id\n1,a#0\n",
        r#"{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "a#0"}, "eventVersion": "0"}"#,
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
        ("{\"id\": 1}\n", "no ground truth"),
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
