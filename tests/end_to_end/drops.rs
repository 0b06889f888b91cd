//! Files that can't be used.

use crate::case::Case;
use crate::data;
use contracts::RunState;

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_bad_file_starts_nothing_and_people_are_told() {
    let case = Case::new("badfile", "one-model.yaml").await;
    let wrong_header = data::cars(20).replacen("price", "asking_price", 1);
    let mut binary = b"PK\x03\x04".to_vec();
    binary.extend((0..2_000_u32).map(|n| (n * 7 % 256) as u8));
    for (name, body, reason) in [
        ("empty.csv", Vec::new(), "is empty"),
        ("header.csv", wrong_header.into_bytes(), "lacks the column `price`"),
        ("cars.xlsx", binary, "is a zip archive"),
        ("nul.csv", b"year,mileage_km\0\0\0".to_vec(), "is binary, not text"),
    ] {
        let bytes = body.len();
        let run = case.drop(name, body).await;
        let subject = format!("[drivetrain] {}: {name} was refused", case.id);
        let mail = case
            .mail(&format!("the refusal of {name}"), |mail| mail.subject == subject)
            .await;
        assert!(
            mail.message.contains(reason) && mail.message.contains(&run.id.to_string()),
            "{mail:?}"
        );
        assert!(
            mail.message.contains("No run was started; the file stays where it is."),
            "{mail:?}"
        );
        assert_eq!(mail.message_attributes["severity"], "warning");
        assert_eq!(
            case.stack.get(&run.key).await.map(|kept| kept.len()),
            Some(bytes),
            "{name} stays"
        );
        assert_eq!(case.executions(&run.id).await, 0, "{name}");
    }
    let manifests = case.manifests().await;
    assert_eq!(manifests.len(), 4);
    for manifest in manifests {
        assert_eq!(
            (manifest.state, manifest.execution_arn),
            (RunState::Refused, None),
            "{:?}",
            manifest.reason
        );
    }
    assert_eq!(case.mails().len(), 4);
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_file_without_usable_rows_fails_its_run_and_people_are_told_why() {
    let case = Case::new("norows", "one-model.yaml").await;
    let body = format!("{}\n2017,80000,petrol,red,\n2018,70000,petrol,red,\n", data::HEADER);
    let run = case.drop("cars.csv", body).await;
    case.failed(&run.id).await;
    let mail = case.end_mail(&run.id).await;
    assert!(
        mail.subject.contains(&format!("run {} failed: NoUsable", run.id)),
        "{mail:?}"
    );
    assert!(
        mail.message
            .contains("NoUsableRows: 0 of 2 rows of cars.csv are usable: 2 have no price"),
        "{mail:?}"
    );
    assert_eq!(mail.message_attributes["severity"], "error");
    assert_eq!(case.champion("xgboost").await, None);
    case.finish().await;
}
