//! `baseline DATA --output DIR`.

use super::data::{self, How};
use super::{Result, show, terminal};
use crate::analysis::{self, Baseline};
use drift_document::Outcome;
use std::path::PathBuf;

/// Describe data: its statistics, and the requirements that follow for later data
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  drivetrain-monitor baseline cars.csv --output baseline
  drivetrain-monitor baseline exports/ --output baseline --segment country
  drivetrain-monitor baseline today.csv --merge yesterday/state.zst --state --output today

The folder gets statistics.json and constraints.json, in the form of SageMaker Model Monitor. Edit constraints.json as
you like: `check` goes by it.")]
pub struct Arguments {
    /// A file, or a folder of files
    data: PathBuf,
    /// The output folder
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Also describe the data for each value of this column
    #[arg(long, value_name = "COLUMN")]
    segment: Option<String>,
    /// Also write state.zst, which a later run can continue
    #[arg(long)]
    state: bool,
    /// Continue the state.zst of earlier data
    #[arg(long, value_name = "STATE")]
    merge: Option<PathBuf>,
    /// Print the two documents as one JSON object, and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    how: How,
}

impl Arguments {
    pub fn run(self) -> Result<Outcome> {
        let before = data::state(self.merge.as_ref())?;
        let source = self.how.source(&self.data)?;
        // If the saved state has segments, today's data gets the same ones.
        let saved = before.as_ref().and_then(|it| it.segments.as_ref()).map(|it| &it.column);
        let segment = self.segment.as_ref().or(saved);
        let mut profile = data::profile(&source, self.how.options(segment))?;
        show::oddities(&profile);
        if let Some(before) = before {
            profile = analysis::join(before, &profile)?;
        }
        let baseline = Baseline::of_profile(profile);
        baseline.write(&self.output, self.state)?;
        if self.json {
            let (statistics, constraints) = (baseline.statistics.to_text(), baseline.constraints.to_text());
            terminal::say(super::both(&statistics, &constraints)?);
        } else {
            show::baseline(&baseline);
            terminal::note(format!("written to {}", self.output.display()));
        }
        Ok(Outcome::Clean)
    }
}
