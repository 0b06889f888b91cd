//! What `drivetrain init` writes for a table can be trained on unchanged, for three kinds of tables: listings, houses,
//! demand.

use crate::case::Case;
use contracts::{UseCase, Verdict, places};
use std::path::Path;

/// The tables of processing/tests/data/init, which `make_tables.py` makes.
const TABLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../processing/tests/data/init");

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn listings_train_by_the_document_made_of_them() {
    first_try("cars", "price_USD").await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn houses_train_by_the_document_made_of_them() {
    first_try("houses", "SalePrice").await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn demand_trains_by_the_document_made_of_it() {
    first_try("demand", "sales").await;
}

/// From a table to a champion, without editing anything by hand.
async fn first_try(table: &str, target: &str) {
    let case = Case::unknown(&format!("i-{}", &table[..4])).await;
    let rows = Path::new(TABLES).join(format!("{table}.csv"));
    let document = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", case.id));
    let (rows_path, document_path) = (rows.to_str().unwrap(), document.to_str().unwrap());
    let init = ["init", rows_path, "--id", &case.id, "--output", document_path];
    for command in [&init[..], &["check", document_path], &["onboard", document_path]] {
        let said = case.stack.drivetrain(command).await;
        assert!(said.success, "{command:?}: {}{}", said.stdout, said.stderr);
    }
    let again = case.stack.drivetrain(&init).await;
    assert!(!again.success && again.stderr.contains("--force"), "{}", again.stderr);

    let run = case.drop(&format!("{table}.csv"), std::fs::read(&rows).unwrap()).await;
    let ended = case.succeeded(&run.id).await;
    assert_eq!(
        ended.verdict("xgboost"),
        Verdict::Exported,
        "{:#?}",
        ended.decision("xgboost")
    );
    // The linear model may be worse than the medians of groups; that is a decision, not a failure.
    assert_ne!(ended.verdict("linear-learner"), Verdict::Failed);

    let stored: UseCase = case.stack.document(&places::use_case::config(&case.id)).await.unwrap();
    assert_eq!(stored.target.name, target);
    let champion = case.champion("xgboost").await.unwrap();
    assert_eq!(champion.columns, stored.columns());
    case.finish().await;
}
