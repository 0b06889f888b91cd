//! One feature in the words and shapes of its card.

use drift_document::{FeatureDrift, Metric, Numbers, Role, Status, Summary};
use serde::Serialize;

use crate::charts::{self, HistogramChart, Steps};
use crate::text;

/// The most rows of a table of categories.
const CATEGORIES: usize = 20;
/// The most categories of the small chart.
const SMALL: usize = 10;

/// A card.
#[derive(Serialize)]
pub(super) struct Feature {
    /// The target of links to it.
    number: usize,
    open: bool,
    name: String,
    role: &'static str,
    style: &'static str,
    /// Instead of a distance, where none is decisive.
    word: &'static str,
    /// The decisive distance.
    verdict: Option<Distance>,
    /// What the verdict alone would not explain.
    note: &'static str,
    distances: Vec<Distance>,
    /// Empty where there is none.
    p_value: String,
    q_value: String,
    small: Option<Steps>,
    histogram: Option<HistogramChart>,
    /// The chart in words, for those who cannot see it.
    description: String,
    categories: Option<Categories>,
    /// Why there is neither chart nor table.
    nothing: &'static str,
    facts: Vec<Fact>,
}

#[derive(Clone, Serialize)]
struct Distance {
    name: &'static str,
    value: String,
    threshold: String,
    /// Value over threshold.
    ratio: String,
    /// Per cent of a scale that has the threshold in its middle.
    fill: f64,
    reached: bool,
    decisive: bool,
}

/// A row of the table of both sides.
#[derive(Serialize)]
struct Fact {
    label: &'static str,
    baseline: String,
    current: String,
    change: String,
}

#[derive(Serialize)]
struct Categories {
    rows: Vec<CategoryRow>,
    /// Categories that are named on a side but not shown.
    hidden: usize,
    /// The shares of all that is not shown, where that is not nothing.
    others: Option<(String, String)>,
}

#[derive(Serialize)]
struct CategoryRow {
    value: String,
    baseline: String,
    current: String,
    change: String,
    /// Lengths of the bars in per cent of the longest.
    baseline_fill: f64,
    current_fill: f64,
    mark: &'static str,
}

impl Feature {
    pub(super) fn new(feature: &FeatureDrift, number: usize, open: bool) -> Self {
        let (baseline, current) = (feature.baseline.as_ref(), feature.current.as_ref());
        let distances: Vec<Distance> = feature
            .distances
            .iter()
            .map(|distance| Distance {
                name: metric_name(distance.metric),
                value: text::distance(distance.value),
                threshold: text::distance(distance.threshold),
                ratio: text::multiple(distance.value / distance.threshold),
                fill: charts::fill(distance.value, distance.threshold),
                reached: distance.value >= distance.threshold,
                decisive: Some(distance.metric) == feature.decisive,
            })
            .collect();
        // A distance of what could not be judged is no verdict.
        let is_judged = matches!(feature.status, Status::Clean | Status::Drifted);
        let verdict = distances
            .iter()
            .find(|distance| distance.decisive && is_judged)
            .cloned();
        let is_large = verdict.as_ref().is_some_and(|verdict| verdict.reached);
        let histogram = charts::histogram(numbers(baseline), numbers(current));
        let compared = compare_categories(baseline, current);
        let small = histogram
            .as_ref()
            .map(|chart| chart.steps.clone())
            .or_else(|| small_of(&compared));
        let categories = Categories::new(&compared, baseline, current);
        let nothing = match (&histogram, &categories, numbers(baseline), numbers(current)) {
            (None, None, Some(_), Some(_)) => "There is no histogram that both sides have in common.",
            (None, None, None, None) if distinct(baseline).or(distinct(current)).is_some() => {
                "There are too many different values to list them."
            }
            (None, None, _, _) => "There is no distribution to show.",
            _ => "",
        };
        Self {
            number,
            open,
            name: text::shown(&feature.name),
            role: match feature.role {
                Role::Feature => "feature",
                Role::Prediction => "prediction",
            },
            style: style(feature.status),
            word: word(feature.status),
            note: if feature.status == Status::Clean && is_large {
                "The distance is large, but chance alone could be its cause: the feature is not called drifted."
            } else {
                ""
            },
            verdict,
            distances,
            p_value: feature.p_value.map(text::probability).unwrap_or_default(),
            q_value: feature.q_value.map(text::probability).unwrap_or_default(),
            small,
            description: describe(numbers(baseline), numbers(current)),
            histogram,
            categories,
            nothing,
            facts: facts(baseline, current),
        }
    }
}

fn style(status: Status) -> &'static str {
    match status {
        Status::Clean => "clean",
        Status::Drifted => "drifted",
        Status::InsufficientData => "insufficient-data",
        Status::MissingColumn | Status::ExtraColumn => "lacking",
        Status::Disabled => "disabled",
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Clean => "Clean",
        Status::Drifted => "Drifted",
        Status::InsufficientData => "Too few values",
        Status::MissingColumn => "Missing in the current data",
        Status::ExtraColumn => "Not in the baseline",
        Status::Disabled => "Switched off",
    }
}

/// A distance as people call it.
pub(super) fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Psi => "PSI",
        Metric::Wasserstein => "Wasserstein",
        Metric::JensenShannon => "Jensen–Shannon",
        Metric::LInfinity => "L∞",
        Metric::Missing => "Missing values",
        Metric::Type => "Other type",
        Metric::NewCategories => "New categories",
    }
}

fn numbers(summary: Option<&Summary>) -> Option<&Numbers> {
    summary?.numbers.as_ref()
}

fn distinct(summary: Option<&Summary>) -> Option<u64> {
    summary?.distinct
}

fn quantile(numbers: &Numbers, share: f64) -> Option<f64> {
    numbers
        .quantiles
        .iter()
        .find(|quantile| (quantile.share - share).abs() < 1e-9)
        .map(|quantile| quantile.value)
}

/// The chart in words.
fn describe(baseline: Option<&Numbers>, current: Option<&Numbers>) -> String {
    let side = |numbers: Option<&Numbers>| {
        let numbers = numbers?;
        let quantile = |share| quantile(numbers, share).map(|value| text::significant(value, 4));
        Some(format!(
            "median {}, middle half {} to {}",
            quantile(0.5)?,
            quantile(0.25)?,
            quantile(0.75)?
        ))
    };
    let side = |numbers| side(numbers).unwrap_or_else(|| "not known".to_owned());
    format!("Histogram. Baseline: {}. Now: {}.", side(baseline), side(current))
}

/// A number of one side.
type ValueOf = fn(&Numbers) -> Option<f64>;

/// The table of both sides. Rows that neither side fills are left out.
fn facts(baseline: Option<&Summary>, current: Option<&Summary>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let texts = |label, of: &dyn Fn(&Summary) -> Option<String>| {
        let side = |summary: Option<&Summary>| summary.and_then(of).unwrap_or_default();
        let (baseline, current) = (side(baseline), side(current));
        Fact {
            label,
            change: String::new(),
            baseline,
            current,
        }
    };
    let kind = texts("Type", &|summary| {
        (!summary.inferred_type.is_empty()).then(|| text::shown(&summary.inferred_type))
    });
    let is_other = !kind.baseline.is_empty() && !kind.current.is_empty() && kind.baseline != kind.current;
    facts.push(Fact {
        change: if is_other { "changed".to_owned() } else { String::new() },
        ..kind
    });
    facts.push(texts("Values", &|summary| Some(text::count(summary.present))));

    let missing = |summary: &Summary| {
        let all = summary.present.saturating_add(summary.missing);
        // As exact as a share is shown.
        (all > 0).then(|| summary.missing as f64 / all as f64)
    };
    let difference = baseline
        .and_then(missing)
        .zip(current.and_then(missing))
        .map(|(before, now)| now - before);
    facts.push(Fact {
        change: difference.map(text::points).unwrap_or_default(),
        ..texts("Missing", &|summary| missing(summary).map(text::share))
    });
    facts.push(texts("Different values", &|summary| {
        summary
            .distinct
            .map(|distinct| format!("≈\u{a0}{}", text::count(distinct)))
    }));

    let rows: [(&'static str, ValueOf); 9] = [
        ("Mean", |numbers| Some(numbers.mean)),
        ("Std deviation", |numbers| Some(numbers.std_dev)),
        ("Minimum", |numbers| Some(numbers.min)),
        ("5 %", |numbers| quantile(numbers, 0.05)),
        ("25 %", |numbers| quantile(numbers, 0.25)),
        ("Median", |numbers| quantile(numbers, 0.5)),
        ("75 %", |numbers| quantile(numbers, 0.75)),
        ("95 %", |numbers| quantile(numbers, 0.95)),
        ("Maximum", |numbers| Some(numbers.max)),
    ];
    let sides = || [numbers(baseline), numbers(current)].into_iter().flatten();
    let years = sides().all(|side| text::are_years(side.min, side.max));
    for (label, value) in rows {
        let (before, now) = (numbers(baseline).and_then(value), numbers(current).and_then(value));
        let side = |value: Option<f64>| value.map(|value| text::measured(value, 4, years)).unwrap_or_default();
        let change = before
            .zip(now)
            .map(|(before, now)| text::signed(now - before, 3))
            .unwrap_or_default();
        facts.push(Fact {
            label,
            baseline: side(before),
            current: side(now),
            change,
        });
    }
    facts.retain(|fact| !fact.baseline.is_empty() || !fact.current.is_empty());
    facts
}

/// A category on both sides; `None` where the side does not name it.
struct Compared<'a> {
    value: &'a str,
    baseline: Option<f64>,
    current: Option<f64>,
}

impl Compared<'_> {
    fn largest(&self) -> f64 {
        self.baseline.unwrap_or(0.0).max(self.current.unwrap_or(0.0))
    }
}

/// All categories that a side names, those with the largest share on either side first.
fn compare_categories<'a>(baseline: Option<&'a Summary>, current: Option<&'a Summary>) -> Vec<Compared<'a>> {
    let list = |summary: Option<&'a Summary>| summary.map_or(&[][..], |summary| summary.categories.as_slice());
    let (baseline, current) = (list(baseline), list(current));
    let share = |list: &[drift_document::Category], value: &str| {
        list.iter()
            .find(|category| category.value == value)
            .map(|category| category.share)
    };
    let mut all: Vec<_> = baseline
        .iter()
        .map(|category| Compared {
            value: &category.value,
            baseline: Some(category.share),
            current: share(current, &category.value),
        })
        .collect();
    all.extend(
        current
            .iter()
            .filter(|category| share(baseline, &category.value).is_none())
            .map(|category| Compared {
                value: &category.value,
                baseline: None,
                current: Some(category.share),
            }),
    );
    all.sort_by(|a, b| b.largest().total_cmp(&a.largest()));
    all
}

fn small_of(compared: &[Compared]) -> Option<Steps> {
    let side = |share: fn(&Compared) -> Option<f64>| {
        let shares: Vec<f64> = compared
            .iter()
            .take(SMALL)
            .map(|category| share(category).unwrap_or(0.0))
            .collect();
        shares.iter().any(|share| *share > 0.0).then_some(shares)
    };
    charts::steps(
        side(|category| category.baseline).as_deref(),
        side(|category| category.current).as_deref(),
    )
}

impl Categories {
    fn new(compared: &[Compared], baseline: Option<&Summary>, current: Option<&Summary>) -> Option<Self> {
        let longest = compared.first()?.largest();
        let row = |category: &Compared| {
            let mark = match (category.baseline, category.current) {
                (None, Some(_)) if is_complete(baseline) => "new",
                (Some(_), None) if is_complete(current) => "vanished",
                _ => "",
            };
            let before = category.baseline.or(is_complete(baseline).then_some(0.0));
            let now = category.current.or(is_complete(current).then_some(0.0));
            let change = before.zip(now).map(|(before, now)| text::points(now - before));
            CategoryRow {
                value: text::shown(category.value),
                baseline: share_of(category.baseline, baseline),
                current: share_of(category.current, current),
                change: change.unwrap_or_default(),
                baseline_fill: charts::per_cent(category.baseline.unwrap_or(0.0), longest),
                current_fill: charts::per_cent(category.current.unwrap_or(0.0), longest),
                mark,
            }
        };
        let rest = |shares: f64, summary: Option<&Summary>| {
            // Less than half a row is the rounding of the shares.
            let half_a_row = summary.map(|summary| 0.5 / summary.present.max(1) as f64);
            half_a_row.map_or(0.0, |half| if 1.0 - shares > half { 1.0 - shares } else { 0.0 })
        };
        let shown = &compared[..compared.len().min(CATEGORIES)];
        let sum = |share: fn(&Compared) -> Option<f64>| shown.iter().filter_map(share).sum::<f64>();
        // Of a side without a list, nothing is known.
        let others = (
            if is_listed(baseline) {
                rest(sum(|category| category.baseline), baseline)
            } else {
                f64::NAN
            },
            if is_listed(current) {
                rest(sum(|category| category.current), current)
            } else {
                f64::NAN
            },
        );
        Some(Self {
            rows: shown.iter().map(row).collect(),
            hidden: compared.len() - shown.len(),
            others: (others.0 > 0.0 || others.1 > 0.0).then(|| (text::share(others.0), text::share(others.1))),
        })
    }
}

fn is_listed(summary: Option<&Summary>) -> bool {
    summary.is_some_and(|summary| !summary.categories.is_empty())
}

/// The side names all its categories: what is not named does not occur.
fn is_complete(summary: Option<&Summary>) -> bool {
    summary.is_some_and(|summary| {
        let named = summary
            .categories
            .iter()
            .fold(0u64, |sum, category| sum.saturating_add(category.rows));
        summary.present > 0 && named >= summary.present
    })
}

/// The share of a category on a side. What the side does not name is nothing where the side is complete, at most the
/// last share where its list was cut, and not known where it has no list.
fn share_of(share: Option<f64>, summary: Option<&Summary>) -> String {
    match (share, summary.and_then(|summary| summary.categories.last())) {
        (Some(share), _) => text::share(share),
        (None, Some(_)) if is_complete(summary) => text::share(0.0),
        (None, Some(last)) => format!("≤\u{a0}{}", text::share(last.share)),
        (None, None) => text::share(f64::NAN),
    }
}
