//! A model with a user's own image: it needs a document and an image, but no code in the platform.

use crate::case::Case;
use contracts::Verdict;

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn an_image_of_ones_own_is_trained_judged_deployed_and_served() {
    let case = Case::new("ownimg", "own-image.yaml").await;
    let (run, ended) = case.trained("cars.csv", 300).await;
    ended.decided(&[("neighbours", Verdict::Exported)]);
    let threshold = ended.decision("neighbours").threshold.as_ref().unwrap();
    assert!(
        threshold.passed && threshold.value_rmse.is_some_and(|rmse| rmse > 0.0),
        "{threshold:?}"
    );
    let champion = case.champion("neighbours").await.unwrap();
    assert_eq!(
        champion.image,
        "000000000000.dkr.ecr.us-east-1.amazonaws.com/nearest-neighbours:1"
    );
    assert_eq!(
        case.endpoint(&champion.endpoint_name).await["EndpointStatus"],
        "InService"
    );

    let answer = case.predict().await;
    assert!(!answer.degraded());
    let model = &answer.predictions()[0]["models"]["neighbours"];
    assert_eq!(model["version"], run.id.to_string());
    // Prices are between 500 and 45,000; this is a mean of five of them.
    assert!(
        (1_000.0..30_000.0).contains(&model["value"].as_f64().unwrap()),
        "{model}"
    );

    // More rows, closer neighbours: the gate judges it like any other model.
    let (_, ended) = case.trained("cars.csv", 900).await;
    ended.decided(&[("neighbours", Verdict::Exported)]);
    assert_eq!(case.champion("neighbours").await.unwrap().previous, Some(run.id));
    case.finish().await;
}
