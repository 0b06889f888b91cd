use drift_document::{
    Category, Distance, Drift, FeatureDrift, GroundTruth, Histogram, Metric, Numbers, Outcome, Quality, QualityMetric,
    Quantile, Role, Samples, SegmentDrift, Settings, Skipped, SkippedKind, Status, Summary, Threshold, Violation,
};

use super::html;
use crate::About;

fn about() -> About {
    About {
        title: "used-car-price".to_owned(),
        subtitle: "Data quality of 2026-11-22".to_owned(),
        generated_at: "2026-11-23T04:05:06Z".parse().unwrap(),
        links: vec![
            ("Statistics".to_owned(), "statistics.json".to_owned()),
            ("Data".to_owned(), "s3://bucket/input".to_owned()),
        ],
    }
}

/// The document of a realistic analysis.
fn used_cars() -> Drift {
    serde_json::from_str(include_str!("../../tests/drift.json")).unwrap()
}

/// The least that a document can say.
fn document(outcome: Outcome, features: Vec<FeatureDrift>) -> Drift {
    Drift {
        format: 1,
        outcome,
        reason: "Because.".to_owned(),
        samples: Samples {
            baseline_rows: 1_234_567,
            current_rows: 900,
            ..Samples::default()
        },
        settings: Settings {
            minimum_rows: 200,
            false_discovery_rate: 0.05,
            thresholds: vec![Threshold {
                metric: Metric::Psi,
                value: 0.2,
            }],
        },
        features,
        segments: Vec::new(),
        quality: None,
        violations: Vec::new(),
    }
}

fn feature(name: &str, status: Status, baseline: Option<Summary>, current: Option<Summary>) -> FeatureDrift {
    FeatureDrift {
        name: name.to_owned(),
        role: Role::Feature,
        status,
        decisive: Some(Metric::Psi),
        severity: 2.1,
        distances: vec![Distance {
            metric: Metric::Psi,
            value: 0.42,
            threshold: 0.2,
        }],
        p_value: Some(0.000_01),
        q_value: Some(0.0123),
        baseline,
        current,
    }
}

fn numeric(edges: &[f64], shares: &[f64], value: f64) -> Summary {
    let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
        .map(|share| Quantile { share, value })
        .to_vec();
    let histogram = Histogram {
        edges: edges.to_vec(),
        shares: shares.to_vec(),
    };
    Summary {
        inferred_type: "Fractional".to_owned(),
        present: 900,
        missing: 100,
        numbers: Some(Numbers {
            mean: value,
            std_dev: value,
            min: value,
            max: value,
            quantiles,
            histogram,
        }),
        ..Summary::default()
    }
}

fn categorical(rows: &[(&str, u64)], present: u64) -> Summary {
    let categories = rows
        .iter()
        .map(|(value, rows)| Category {
            value: (*value).to_owned(),
            rows: *rows,
            share: *rows as f64 / present as f64,
        })
        .collect();
    Summary {
        inferred_type: "String".to_owned(),
        present,
        categories,
        ..Summary::default()
    }
}

fn main_of(page: &str) -> &str {
    let start = page.find("<main>").unwrap();
    &page[start..page.find("</main>").unwrap()]
}

#[test]
fn a_small_document() {
    let mut drift = document(
        Outcome::Drifted,
        vec![
            feature(
                "mileage_km",
                Status::Drifted,
                Some(numeric(&[0.0, 50_000.0, 100_000.0], &[0.75, 0.25], 41_234.5)),
                Some(numeric(&[0.0, 50_000.0, 100_000.0], &[0.3, 0.7], 62_345.6)),
            ),
            feature(
                "fuel_type",
                Status::Clean,
                Some(categorical(&[("petrol", 600), ("lpg", 300)], 900)),
                Some(categorical(&[("petrol", 800), ("electric", 100)], 900)),
            ),
        ],
    );
    drift.quality = Some(Quality {
        problem_type: "Regression".to_owned(),
        metrics: vec![QualityMetric {
            name: "rmse".to_owned(),
            value: Some(2345.67),
            threshold: Some(2000.0),
            comparison_operator: Some("GreaterThanThreshold".to_owned()),
            violated: true,
            drifted: true,
        }],
    });
    insta::assert_snapshot!(main_of(&html(&drift, &about()).unwrap()));
}

#[test]
fn a_realistic_document_has_all_its_parts() {
    let drift = used_cars();
    let page = html(&drift, &about()).unwrap();
    for feature in &drift.features {
        assert!(
            page.contains(&format!("<bdi class=\"name\">{}</bdi>", feature.name)),
            "{}",
            feature.name
        );
    }
    let headings = [
        "Drifted features",
        "Columns on one side only",
        "Too few values to say",
        "Clean features",
        "Switched off",
        "Segments",
        "Model quality",
        "Violations",
        "How it was judged",
    ];
    let places: Vec<_> = headings
        .iter()
        .map(|heading| {
            page.find(&format!("{heading} <span"))
                .or(page.find(&format!("<h2>{heading}</h2>")))
                .expect(heading)
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for text in [
        "48,210",
        "6,412",
        "93.3\u{a0}%",
        "too few fields",
        "plug-in hybrid",
        ">new</span>",
        ">vanished</span>",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(
        page.contains("Not enough data"),
        "the segment that was not judged says so"
    );
    assert!(page.contains("class=\"filter\""));
}

#[test]
fn each_outcome_looks_different() {
    let outcomes = [
        (Outcome::Clean, "Clean"),
        (Outcome::Drifted, "Drifted"),
        (Outcome::InsufficientData, "Not enough data"),
        (Outcome::Error, "Error"),
    ];
    for (outcome, label) in outcomes {
        let page = html(&document(outcome, Vec::new()), &about()).unwrap();
        let style = outcome.as_str();
        assert!(page.contains(&format!("<section class=\"outcome {style}\"")), "{style}");
        assert!(
            page.contains(&format!("<use href=\"#{style}\"/></svg>{label}</span>")),
            "{style}"
        );
        assert!(page.contains(&format!("<symbol id=\"{style}\"")), "{style}");
        assert!(
            page.contains(&format!("<title>{label}: used-car-price</title>")),
            "{style}"
        );
        assert!(!page.contains("class=\"filter\""));
    }
}

#[test]
fn every_status_has_a_mark() {
    let statuses = [
        Status::Clean,
        Status::Drifted,
        Status::InsufficientData,
        Status::MissingColumn,
        Status::ExtraColumn,
        Status::Disabled,
    ];
    for status in statuses {
        let page = html(
            &document(Outcome::Clean, vec![feature("a", status, None, None)]),
            &about(),
        )
        .unwrap();
        let (_, rest) = page.split_once("<details class=\"feature ").unwrap();
        let (style, rest) = rest.split_once('"').unwrap();
        assert!(rest.contains(&format!("<use href=\"#{style}\"/>")), "{status:?}");
        assert!(page.contains(&format!("<symbol id=\"{style}\"")), "{status:?}");
    }
}

#[test]
fn a_large_distance_that_may_be_chance_is_explained() {
    let page = html(
        &document(Outcome::Clean, vec![feature("a", Status::Clean, None, None)]),
        &about(),
    )
    .unwrap();
    assert!(page.contains("chance alone could be its cause"));
    let page = html(
        &document(Outcome::Drifted, vec![feature("a", Status::Drifted, None, None)]),
        &about(),
    )
    .unwrap();
    assert!(!page.contains("chance alone could be its cause"));
}

#[test]
fn a_category_is_new_only_where_the_baseline_names_all_of_its_own() {
    let all = categorical(&[("petrol", 60), ("diesel", 40)], 100);
    let cut = categorical(&[("petrol", 60), ("diesel", 30)], 100);
    let now = categorical(&[("petrol", 90), ("electric", 10)], 100);
    let page = |baseline: &Summary| {
        let feature = feature("fuel", Status::Drifted, Some(baseline.clone()), Some(now.clone()));
        html(&document(Outcome::Drifted, vec![feature]), &about()).unwrap()
    };
    let complete = page(&all);
    assert!(complete.contains("electric</bdi> <span class=\"tag new\">new</span>"));
    assert!(complete.contains("diesel</bdi> <span class=\"tag vanished\">vanished</span>"));
    assert!(!complete.contains("all others"));
    let unknown = page(&cut);
    assert!(!unknown.contains("tag new"));
    assert!(
        unknown.contains("≤\u{a0}30.0\u{a0}%"),
        "a share below the last that is named"
    );
    assert!(
        unknown.contains("<th scope=\"row\">all others</th><td class=\"paired\"></td><td class=\"n\">10.0\u{a0}%</td>")
    );
}

const HOSTILE: &str =
    "</title></style></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{ 7*7 }}";

/// A document that is hostile wherever it can be.
#[test]
fn nothing_is_said_of_the_categories_of_a_side_that_lists_none() {
    let baseline = numeric(&[0.0, 1.0, 2.0], &[0.5, 0.5], 1.0);
    let current = categorical(&[("1", 60), ("n/a", 30)], 100);
    let feature = feature("year", Status::Drifted, Some(baseline), Some(current));
    let page = html(&document(Outcome::Drifted, vec![feature]), &about()).unwrap();
    let (_, others) = page.split_once("<th scope=\"row\">all others</th>").unwrap();
    let (others, _) = others.split_once("</tr>").unwrap();
    assert!(
        others.contains("<td class=\"n\">–</td><td class=\"n\">10.0\u{a0}%</td>"),
        "{others}"
    );
}

fn hostile() -> Drift {
    let text = || HOSTILE.to_owned();
    let category = categorical(&[(HOSTILE, 3), ("\u{202e}evil 🚗\0", 2), ("", 1)], 6);
    let mut column = feature(HOSTILE, Status::Drifted, Some(category), None);
    column.baseline.as_mut().unwrap().inferred_type = text();
    let long = feature(&"x".repeat(1_000_000), Status::Clean, None, None);
    let mut drift = document(Outcome::Drifted, vec![column, long]);
    drift.reason = text();
    drift.samples.skipped = vec![Skipped {
        reason: text(),
        kind: SkippedKind::Record,
        rows: 1,
        first: text(),
    }];
    drift.samples.ground_truth = Some(GroundTruth {
        records: 0,
        joined: 0,
        joined_share: f64::NAN,
    });
    drift.segments = vec![SegmentDrift {
        column: text(),
        value: text(),
        outcome: Outcome::Drifted,
        samples: Samples::default(),
        features: vec![feature(HOSTILE, Status::Drifted, None, None)],
    }];
    drift.quality = Some(Quality {
        problem_type: text(),
        metrics: vec![QualityMetric {
            name: text(),
            value: Some(f64::NAN),
            threshold: Some(f64::INFINITY),
            comparison_operator: Some(text()),
            violated: false,
            drifted: false,
        }],
    });
    drift.violations = vec![Violation {
        feature_name: Some(text()),
        constraint_check_type: text(),
        description: text(),
        metric_name: None,
    }];
    drift
}

#[test]
fn hostile_text_stays_text() {
    let about = About {
        title: HOSTILE.to_owned(),
        subtitle: HOSTILE.to_owned(),
        links: vec![
            (HOSTILE.to_owned(), format!("a/{HOSTILE}")),
            (HOSTILE.to_owned(), "javascript:alert(1)".to_owned()),
        ],
        ..about()
    };
    let page = html(&hostile(), &about).unwrap();
    // The page's own script and style, once each.
    for tag in ["<script", "</script", "<style", "</style", "<title", "</title"] {
        assert_eq!(page.matches(tag).count(), 1, "{tag}");
    }
    assert!(!page.contains("<img"));
    assert!(!page.contains("href=\"javascript:"));
    // Unescaped quotes would end an attribute.
    assert!(!page.contains("\"'>"));
    assert!(page.contains("{{ 7*7 }}"), "a value is no template");
    assert!(page.contains("&lt;script&gt;alert(1)"));
    assert!(page.contains("\u{fffd}evil 🚗␀"));
    assert!(page.contains("<bdi>(empty)</bdi>"));
    assert!(page.len() < 100_000, "long names are cut: {}", page.len());
}

#[test]
fn strange_numbers_never_reach_a_shape() {
    let strange = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        0.0,
        f64::MIN_POSITIVE,
        f64::MAX,
    ];
    for value in strange {
        for edges in [vec![], vec![value], vec![value, value], vec![0.0, value, 1.0]] {
            let shares = vec![value; edges.len().saturating_sub(1)];
            let side = || Some(numeric(&edges, &shares, value));
            let mut drifted = feature("a", Status::Drifted, side(), side());
            drifted.distances[0].value = value;
            drifted.distances[0].threshold = value;
            drifted.p_value = Some(value);
            let mut category = categorical(&[("a", u64::MAX), ("b", u64::MAX)], u64::MAX);
            category.categories[0].share = value;
            let other = feature("b", Status::Clean, Some(category), Some(Summary::default()));
            let page = html(&document(Outcome::Drifted, vec![drifted, other]), &about()).unwrap();
            for attribute in [" d=\"", " style=\"", " viewBox=\""] {
                for rest in page.split(attribute).skip(1) {
                    let shape = rest.split('"').next().unwrap();
                    assert!(
                        !shape.contains("NaN") && !shape.contains("inf"),
                        "{value}: {attribute}{shape}"
                    );
                }
            }
        }
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = html(
        &used_cars(),
        &About {
            links: Vec::new(),
            ..about()
        },
    )
    .unwrap();
    for reference in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
    // What is referred to lies within the page.
    for rest in page.split("href=\"").skip(1) {
        assert!(rest.starts_with('#') || rest.starts_with("data:,\""), "{}", &rest[..20]);
    }
}

#[test]
fn five_hundred_features_stay_below_five_megabytes() {
    let mut drift = used_cars();
    let few = std::mem::take(&mut drift.features);
    drift.features = few.iter().cycle().take(500).cloned().collect();
    let page = html(&drift, &about()).unwrap();
    assert!(page.len() < 5_000_000, "{}", page.len());
    assert_eq!(page.matches("<details class=\"feature ").count(), 500);
}
