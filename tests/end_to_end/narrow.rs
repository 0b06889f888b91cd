//! Files that cover only a part of the world: none of them replaces the champion of the whole.
//!
//! `SAMPLES` is the number of random samples of 30 rows to drop, such as 100; with `FIRST_SAMPLE`, an interrupted run
//! continues.

use crate::case::Case;
use crate::data;
use crate::wait;
use aws_sdk_sfn::types::ExecutionStatus;
use contracts::{Verdict, places};
use std::collections::BTreeMap;

const DEFAULT_RULES: (&str, &str) = ("gate: { min_holdout_rows: 4 }", "gate: {}");

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_narrow_file_replaces_no_champion_and_an_honest_improvement_does() {
    let case = Case::with("narrow", "one-model.yaml", &[DEFAULT_RULES]).await;
    let (first, ended) = case.trained("cars.csv", 1_000).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    let champion = case.champion("xgboost").await.unwrap();
    let folder = places::uri(&case.stack.bucket, &case.places(&first.id).data("holdout"));
    assert_eq!(champion.holdout, Some(folder.clone()));

    let price = |fields: &[&str]| fields[4].parse::<f64>().unwrap();
    let one_price = data::cars_where(1_000, 1_000, |_| true)
        .lines()
        .enumerate()
        .map(|(number, row)| match (number, row.rsplit_once(',')) {
            (1.., Some((car, _))) => format!("{car},9999\n"),
            _ => format!("{row}\n"),
        })
        .collect::<String>();
    for (name, file) in [
        ("cheap.csv", data::cars_where(1_000, 1_000, |car| price(car) < 4_000.0)),
        ("one-price.csv", one_price),
        (
            "one-fuel.csv",
            data::cars_where(1_000, 1_000, |car| car[2] == "electric"),
        ),
        ("thirty.csv", data::cars_where(1_000, 30, |_| true)),
    ] {
        let run = case.drop(name, file).await;
        let ended = case.succeeded(&run.id).await;
        let decision = ended.decision("xgboost");
        let verdict = decision.decision.unwrap();
        assert!(
            matches!(
                verdict,
                Verdict::RejectedChampion | Verdict::RejectedNaive | Verdict::Held
            ),
            "{name}: {decision:#?}"
        );
        assert_eq!(case.champion("xgboost").await.as_ref(), Some(&champion), "{name}");
        // People get the numbers of both holdouts.
        let own = decision
            .comparison
            .as_ref()
            .unwrap()
            .champions_holdout
            .as_ref()
            .unwrap();
        assert_eq!((own.rows, &own.place), (champion.holdout_rows, &folder), "{name}");
        let mail = case
            .mail(name, |mail| {
                mail.subject.contains("xgboost candidate") && mail.message.contains(&run.id.to_string())
            })
            .await;
        for text in [
            "champion RMSE:",
            "naive RMSE:",
            "champion's holdout: RMSE",
            &verdict.to_string(),
        ] {
            assert!(mail.message.contains(text), "{name}: {text}: {mail:?}");
        }
    }

    let (better, ended) = case.trained("cars.csv", 5_000).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    let comparison = ended.decision("xgboost").comparison.as_ref().unwrap();
    assert!(comparison.doubts.is_empty(), "{comparison:#?}");
    assert_eq!(case.champion("xgboost").await.unwrap().run_id, better.id);
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn no_random_sample_of_thirty_rows_replaces_the_champion() {
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let samples: usize = number("SAMPLES", 3);
    // So few rows per side that chance alone could decide: the rule about the minimum number of rows is not what
    // protects here.
    let case = Case::new("samples", "one-model.yaml").await;
    let (_, ended) = case.trained("cars.csv", 4_000).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    let champion = case.champion("xgboost").await.unwrap();
    let mut verdicts = BTreeMap::new();
    for sample in number("FIRST_SAMPLE", 0)..samples {
        let run = case.drop("sample.csv", data::sample(sample, 30)).await;
        let ended = case.ended_somehow(&case.stack.machine_arn, &run.id, wait::RUN).await;
        // By chance, one of the parts of such a small file may be left without rows: then there is no candidate.
        let verdict = match ended.status {
            ExecutionStatus::Failed if ended.story.contains("TooFewRows") => "too few rows".to_owned(),
            ExecutionStatus::Succeeded => ended.verdict("xgboost").to_string(),
            other => panic!("sample {sample}: {other}: {}", ended.story),
        };
        println!("sample {sample}: {verdict}");
        *verdicts.entry(verdict).or_insert(0) += 1;
        assert_eq!(
            case.champion("xgboost").await.as_ref(),
            Some(&champion),
            "sample {sample}"
        );
    }
    println!("{verdicts:?}");
    case.finish().await;
}
