//! `check DATA --baseline DIR`.

use super::data::{self, How};
use super::{Result, show, terminal};
use crate::analysis::{self, Data, Error, Known, Rules, folder};
use crate::checks::Switches;
use drift_document::{Drift, Outcome};
use std::path::{Path, PathBuf};

/// Compare data with a baseline
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  drivetrain-monitor check today.csv --baseline baseline
  drivetrain-monitor check today.csv --baseline baseline --output today --html report.html
  drivetrain-monitor check today.csv --baseline baseline --json | jq -r .outcome

Exit codes: 0 clean, 2 drifted, 3 insufficient data, 1 error.")]
pub struct Arguments {
    /// A file, or a folder of files
    data: PathBuf,
    /// The output folder of `drivetrain-monitor baseline`
    #[arg(long, short, value_name = "DIR")]
    baseline: PathBuf,
    /// The output folder for all documents: statistics, constraints, violations, drift.json, report.html
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Also compare within each value of this column; the baseline must have been made with it
    #[arg(long, value_name = "COLUMN")]
    segment: Option<String>,
    /// Also write state.zst into the output folder
    #[arg(long, requires = "output")]
    state: bool,
    /// Include the data of this state.zst in the check
    #[arg(long, value_name = "STATE")]
    merge: Option<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    how: How,
}

/// How the data is judged, and how the result is shown.
#[derive(clap::Args)]
pub struct Judging {
    /// Minimum number of rows; with fewer, the outcome is insufficient data
    #[arg(long, value_name = "N")]
    minimum_rows: Option<u64>,
    /// The accepted share of false alarms among the drifted columns
    #[arg(long, value_name = "SHARE")]
    false_discovery_rate: Option<f64>,
    /// Weigh equal numbers as the analyzer container of SageMaker Model Monitor does
    #[arg(long)]
    reference_ranks: bool,
    /// Print drift.json and nothing else
    #[arg(long)]
    pub json: bool,
    /// Write a report to look at
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl Judging {
    /// The rules that the arguments describe.
    ///
    /// # Errors
    /// A share is invalid.
    pub fn rules(&self) -> Result<Rules> {
        let mut rules = Rules {
            switches: Switches {
                reference_ranks: self.reference_ranks,
            },
            ..Rules::default()
        };
        if let Some(rows) = self.minimum_rows {
            rules.settings.minimum_rows = rows;
        }
        if let Some(rate) = self.false_discovery_rate {
            if !(0.0..=1.0).contains(&rate) {
                return Err(Error::Unusable(format!(
                    "--false-discovery-rate is {rate}, which is not between 0 and 1"
                )));
            }
            rules.settings.false_discovery_rate = rate;
        }
        Ok(rules)
    }

    /// Shows the result, and writes the report and the one in the output folder.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn show(&self, drift: &Drift, title: &str, output: Option<&Path>) -> Result<Outcome> {
        if self.json {
            let text = serde_json::to_string_pretty(drift).map_err(|error| Error::Unusable(error.to_string()))?;
            terminal::say(text);
        } else {
            show::drift(drift);
        }
        let html = (self.html.is_some() || output.is_some())
            .then(|| html(drift, title))
            .transpose()?;
        if let (Some(html), Some(path)) = (&html, &self.html) {
            let (folder, name) = (
                path.parent().unwrap_or(Path::new("")),
                path.file_name().unwrap_or_default(),
            );
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            folder::write(folder, &name.to_string_lossy(), html.as_bytes())?;
            terminal::note(format!("report: {}", path.display()));
        }
        if let (Some(html), Some(output)) = (&html, output) {
            folder::write(output, folder::REPORT, html.as_bytes())?;
            terminal::note(format!("written to {}", output.display()));
        }
        Ok(drift.outcome)
    }
}

fn html(drift: &Drift, title: &str) -> Result<String> {
    let about = report::About {
        title: title.to_owned(),
        subtitle: String::new(),
        generated_at: jiff::Timestamp::now(),
        links: Vec::new(),
    };
    report::drift::html(drift, &about).map_err(|error| Error::Unusable(error.to_string()))
}

impl Arguments {
    pub fn run(self) -> Result<Outcome> {
        let rules = self.judging.rules()?;
        let mut known = Known::in_folder(&self.baseline)?;
        if let Some(output) = &self.output {
            folder::apart(&self.baseline, output)?;
        }
        let mut before = data::state(self.merge.as_ref())?;
        match (&self.segment, &mut before) {
            (Some(column), _) => known.read_segments(&self.baseline.join(folder::STATE), column)?,
            // The saved segments were not requested, so they are removed.
            (None, Some(before)) => before.segments = None,
            (None, None) => {}
        }
        known.warnings.iter().for_each(terminal::warn);
        let mut options = self.how.options(self.segment.as_ref());
        options.names = Some(known.names());
        options.expected = known.expected();
        let profile = data::profile(&self.how.source(&self.data)?, options)?;
        show::oddities(&profile);
        let data = match before {
            Some(before) => Data::joined(&before, &profile, &known.expected())?,
            None => profile.into(),
        };
        data.warnings.iter().for_each(terminal::warn);
        let checked = analysis::check(&known, data, &rules);
        if let Some(output) = &self.output {
            checked.write(output, self.state)?;
        }
        let title = format!("{} against {}", self.data.display(), self.baseline.display());
        self.judging.show(&checked.drift, &title, self.output.as_deref())
    }
}
