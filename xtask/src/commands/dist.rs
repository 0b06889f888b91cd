//! `dist`: builds the Lambda zips for deployment.

use crate::environments::{self, Environment, path_with};
use crate::layout::Layout;
use crate::process::run;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use drivetrain::ui::{self, Step};
use std::path::PathBuf;
use tokio::process::Command;

/// The function whose cold start users wait for, and the maximum size of its zip in bytes, since a cold start loads it.
const AWAITED: (&str, u64) = ("invoke-endpoints", 4_000_000);

/// Build the Lambda functions for deployment, into target/dist, and print their sizes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask dist\n  cargo xtask dist --architecture x86-64 invoke-endpoints")]
pub struct Dist {
    /// Only these functions [default: all]
    #[arg(value_name = "FUNCTION")]
    functions: Vec<String>,

    /// The processor that they run on, as in the template's parameter Architecture
    #[arg(long, value_enum, default_value_t = Architecture::Arm64)]
    architecture: Architecture,
}

/// A processor architecture of Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    #[value(name = "x86-64", alias = "x86_64")]
    X8664,
}

impl Dist {
    /// Builds in the release profile, with the linker of the environment `tools`.
    ///
    /// # Errors
    /// The build fails, or there is no such function.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        environments::ensure(layout, &[Environment::Tools]).await?;
        let functions = self.functions(layout)?;
        let tools = Environment::Tools.program(layout, "");
        let mut build = Command::new(tools.join("cargo-lambda"));
        build.current_dir(layout.root()).env("PATH", path_with(&tools));
        build.args(["lambda", "build", "--release", "--output-format", "zip"]);
        build.arg("--lambda-dir").arg(layout.path("target/lambda"));
        build.arg(match self.architecture {
            Architecture::Arm64 => "--arm64",
            Architecture::X8664 => "--x86-64",
        });
        for function in &functions {
            build.args(["--package", function]);
        }
        let step = Step::begin_quietly("Dist");
        run(&mut build).await?;
        step.done(&format!("{} functions", functions.len()));
        let folder = layout.path("target/dist");
        std::fs::create_dir_all(&folder)?;
        let mut rows = vec![["function", "zip"].map(str::to_owned).to_vec()];
        let mut too_large = None;
        for function in &functions {
            let made = layout.path("target/lambda").join(function).join("bootstrap.zip");
            let zip = folder.join(format!("{function}.zip"));
            let bytes = std::fs::copy(&made, &zip).with_context(|| format!("{} was not made", made.display()))?;
            if function == AWAITED.0 && bytes > AWAITED.1 {
                too_large = Some(bytes);
            }
            rows.push(vec![layout.shown(&zip), megabytes(bytes)]);
        }
        ui::show(&ui::table(&rows));
        if let Some(bytes) = too_large {
            bail!(
                "{} has {}; it must not exceed {}",
                AWAITED.0,
                megabytes(bytes),
                megabytes(AWAITED.1)
            );
        }
        Ok(())
    }

    fn functions(&self, layout: &Layout) -> Result<Vec<String>> {
        let folder = layout.path("functions");
        let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let known: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        let mut names: Vec<String> = known
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        if let Some(unknown) = self.functions.iter().find(|name| !names.contains(name)) {
            bail!("there is no function `{unknown}`; there are {}", names.join(", "));
        }
        Ok(if self.functions.is_empty() {
            names
        } else {
            self.functions.clone()
        })
    }
}

/// Formats a size with its significant digits, in integers of hundredths, so that nothing is rounded twice.
fn megabytes(bytes: u64) -> String {
    let hundredths = (bytes + 5_000) / 10_000;
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(megabytes(2_437_111), "2.44 MB");
        assert_eq!(megabytes(AWAITED.1), "4.00 MB");
    }

    #[test]
    fn functions_are_the_folders_and_a_wrong_name_is_refused() {
        let layout = Layout::new("stack");
        let dist = |functions: &[&str]| Dist {
            functions: functions.iter().map(|name| (*name).to_owned()).collect(),
            architecture: Architecture::Arm64,
        };
        assert!(dist(&[]).functions(&layout).unwrap().contains(&"start-run".to_owned()));
        assert_eq!(dist(&["start-run"]).functions(&layout).unwrap(), ["start-run"]);
        assert!(
            dist(&["start-ran"])
                .functions(&layout)
                .unwrap_err()
                .to_string()
                .contains("start-run")
        );
    }
}
