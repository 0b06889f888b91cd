//! The page of all use cases: what each is at a glance, and where its dashboard is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::page::{self, About, Error};
use crate::text;

#[cfg(test)]
mod tests;

/// Everything that the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The stack.
    pub stack: String,
    /// When what is shown was read.
    pub generated_at: Timestamp,
    /// In the order in which they are shown.
    pub use_cases: Vec<Listed>,
}

/// A use case on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub use_case: String,
    /// What its dashboard says; none before it was made.
    pub overview: Option<Overview>,
    /// Where its dashboard is, relative to the page.
    pub address: String,
}

/// A use case at a glance; see [`crate::dashboard::overview`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// What is predicted, in the document's words. May be empty.
    pub description: String,
    /// The column that is predicted; errors are in its unit.
    pub target: String,
    /// When its dashboard was made.
    pub made_at: Timestamp,
    /// In the order of the document.
    pub models: Vec<Model>,
    /// The run, or refused file, that ended last; monitoring runs left out.
    pub last_run: Option<Run>,
}

/// A model at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// What serves.
    pub champion: Option<Champion>,
    /// Candidates that wait for somebody's word.
    pub holds: u64,
    /// How its newest window ended: `clean`, `drifted`, …; none before the present champion was watched.
    pub watched: Option<String>,
    /// The end of the newest window that drifted.
    pub drifted_at: Option<Timestamp>,
}

/// What serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// Its version.
    pub run_id: String,
    /// Since when.
    pub since: Timestamp,
    /// Its error on the holdout.
    pub holdout_rmse: f64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The run.
    pub run_id: String,
    /// Its kind.
    pub kind: String,
    /// When it ended.
    pub at: Option<Timestamp>,
    /// Outcome of each model, in words.
    pub outcomes: Vec<Ended>,
}

/// How a run ended for a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The model; none of a run of all.
    pub model: Option<String>,
    /// The mark of the outcome.
    pub style: String,
    /// In words.
    pub label: String,
}

/// The page: a complete HTML file that loads nothing.
///
/// # Errors
///
/// None that data could cause: see [`Error`].
pub fn html(index: &Index) -> Result<String, Error> {
    let about = About {
        title: "All use cases".to_owned(),
        subtitle: format!("of the stack {}", index.stack),
        generated_at: index.generated_at,
        links: Vec::new(),
    };
    let templates = [
        ("index.html", include_str!("index.html")),
        ("dashboard.css", include_str!("../dashboard/dashboard.css")),
    ];
    let content = Content {
        holds: index.use_cases.iter().map(holds).sum(),
        use_cases: index.use_cases.iter().map(Row::new).collect(),
        onboard: contracts::command(&index.stack, "onboard models/NAME.yaml"),
    };
    page::render(&about, &templates, &content, None)
}

#[derive(Serialize)]
struct Content {
    holds: u64,
    use_cases: Vec<Row>,
    /// The command that makes a use case.
    onboard: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// Empty before there is a dashboard.
    address: String,
    description: String,
    target: String,
    models: Vec<ModelRow>,
    run: Option<RunRow>,
    holds: u64,
    made_at: String,
}

#[derive(Serialize)]
struct ModelRow {
    name: String,
    rmse: String,
    /// Empty where nothing serves.
    since: String,
    watched: &'static str,
    watched_style: &'static str,
    /// Empty where it never has.
    drifted: String,
}

#[derive(Serialize)]
struct RunRow {
    run: String,
    kind: String,
    at: String,
    outcomes: Vec<EndedRow>,
}

#[derive(Serialize)]
struct EndedRow {
    model: String,
    style: &'static str,
    label: String,
}

fn holds(listed: &Listed) -> u64 {
    let models = listed.overview.iter().flat_map(|overview| &overview.models);
    models.map(|model| model.holds).sum()
}

impl Row {
    fn new(listed: &Listed) -> Self {
        let overview = listed.overview.as_ref();
        let models = overview.into_iter().flat_map(|overview| &overview.models);
        Self {
            name: text::shown(&listed.use_case),
            address: overview.map(|_| listed.address.clone()).unwrap_or_default(),
            description: overview
                .filter(|overview| !overview.description.is_empty())
                .map(|overview| text::shown(&overview.description))
                .unwrap_or_default(),
            target: overview
                .map(|overview| text::shown(&overview.target))
                .unwrap_or_default(),
            models: models.map(ModelRow::new).collect(),
            run: overview
                .and_then(|overview| overview.last_run.as_ref())
                .map(RunRow::new),
            holds: holds(listed),
            made_at: overview.map(|overview| time(overview.made_at)).unwrap_or_default(),
        }
    }
}

impl ModelRow {
    fn new(model: &Model) -> Self {
        let champion = model.champion.as_ref();
        let (watched_style, watched) = match model.watched.as_deref() {
            None => ("none", "Not watched yet"),
            Some("clean") => ("clean", "Clean"),
            Some("drifted") => ("drifted", "Drifted"),
            Some("insufficient-data") => ("insufficient-data", "Not enough data"),
            Some(_) => ("error", "Error"),
        };
        Self {
            name: text::shown(&model.name),
            rmse: text::significant(champion.map_or(f64::NAN, |champion| champion.holdout_rmse), 4),
            since: champion.map(|champion| time(champion.since)).unwrap_or_default(),
            watched,
            watched_style,
            drifted: model.drifted_at.map(time).unwrap_or_default(),
        }
    }
}

impl RunRow {
    fn new(run: &Run) -> Self {
        let outcome = |ended: &Ended| EndedRow {
            model: ended.model.as_deref().map(text::shown).unwrap_or_default(),
            // A style is the name of a mark: nothing else may come of what was stored.
            style: ["clean", "drifted", "none", "disabled"]
                .into_iter()
                .find(|style| *style == ended.style)
                .unwrap_or("error"),
            label: text::shown(&ended.label),
        };
        Self {
            run: text::shown(&run.run_id),
            kind: text::shown(&run.kind),
            at: run.at.map_or_else(|| "–".to_owned(), time),
            outcomes: run.outcomes.iter().map(outcome).collect(),
        }
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%-d %b %Y %H:%M").to_string()
}
