//! `diff A B`.

use super::check::Judging;
use super::data::{self, How};
use super::{Result, show};
use crate::analysis::{self, Baseline, Known, folder};
use crate::checks;
use drift_document::Outcome;
use std::path::{Path, PathBuf};

/// Show the differences between two sets of data, or between two results
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  drivetrain-monitor diff january.csv february.csv
  drivetrain-monitor diff baseline today.csv --html report.html
  drivetrain-monitor diff monday/statistics.json tuesday/statistics.json --json

Each side is data (a file or a folder), a folder that `baseline` or `check` wrote, or a statistics.json.

Exit codes: 0 clean, 2 drifted, 3 insufficient data, 1 error.")]
pub struct Arguments {
    /// The earlier data or result
    a: PathBuf,
    /// The later data or result
    b: PathBuf,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    how: How,
}

impl Arguments {
    pub fn run(self) -> Result<Outcome> {
        let rules = self.judging.rules()?;
        let title = format!("{} against {}", self.b.display(), self.a.display());
        let before = match statistics_file(&self.a) {
            Some(path) => analysis::read_statistics(&path)?,
            None => {
                let options = self.how.options(None);
                let profile = data::profile(&self.how.source(&self.a)?, options)?;
                show::oddities(&profile);
                Baseline::of_profile(profile).statistics
            }
        };
        let known = Known {
            constraints: checks::suggest(&before),
            statistics: Some(before),
            warnings: Vec::new(),
            profile: None,
            predictions: None,
        };
        if let Some(path) = statistics_file(&self.b) {
            let after = analysis::read_statistics(&path)?;
            let before = known.statistics.unwrap_or_default();
            let drift = analysis::between(&before, &known.constraints, &after, rules.settings);
            return self.judging.show(&drift, &title, None);
        }
        let mut options = self.how.options(None);
        options.names = Some(known.names());
        options.expected = known.expected();
        let profile = data::profile(&self.how.source(&self.b)?, options)?;
        show::oddities(&profile);
        let checked = analysis::check(&known, profile, &rules);
        self.judging.show(&checked.drift, &title, None)
    }
}

/// The statistics file at a path, if the path is a result and not data.
fn statistics_file(path: &Path) -> Option<PathBuf> {
    let inside = path.join(folder::STATISTICS);
    if path.is_dir() && inside.exists() {
        return Some(inside);
    }
    let json = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    (json && path.is_file()).then(|| path.to_owned())
}
