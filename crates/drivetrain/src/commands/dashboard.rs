//! `dashboard`: the dashboard of a use case, fetched and opened.

use crate::target::Target;
use crate::{Context as Asked, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use contracts::places;
use serde::Serialize;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Fetch a use case's dashboard and open it in the browser; without a display, say where it lies.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain dashboard                          of the only use case\n  \
    drivetrain dashboard used-car-price --output cars.html\n  \
    drivetrain dashboard --no-open                only fetch it")]
pub struct Dashboard {
    /// Which use case [default: the only one]
    #[arg(value_name = "USE-CASE")]
    use_case: Option<String>,

    /// Where to put the file [default: USE-CASE-dashboard.html in the working directory]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Don't open it
    #[arg(long)]
    no_open: bool,
}

#[derive(Debug, Serialize)]
struct Fetched {
    use_case: String,
    file: PathBuf,
}

impl Dashboard {
    /// Fetches, opens, and prints the file's path.
    ///
    /// # Errors
    /// There is no such use case, or it has no dashboard yet.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let target = context.target().await?;
        let bucket = target.platform().await?.bucket;
        let use_case = match &self.use_case {
            Some(use_case) => use_case.clone(),
            None => only(target.use_cases(&bucket).await?)?,
        };
        let page = fetch(&target, &bucket, &use_case).await?;
        let file = match &self.output {
            Some(file) => file.clone(),
            None => PathBuf::from(format!("{use_case}-dashboard.html")),
        };
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        std::fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
        if !self.no_open && !context.json() && has_display() {
            open(&file).await;
        }
        context.show(&Fetched { use_case, file }, |it| it.file.display().to_string())
    }
}

async fn fetch(target: &Target, bucket: &str, use_case: &str) -> Result<Vec<u8>> {
    let page = target.get(bucket, &places::use_case::dashboard(use_case)).await?;
    page.with_context(|| {
        format!(
            "{use_case} has no dashboard yet: the first monitoring run makes it, once a model serves and predictions \
             have been captured"
        )
    })
}

fn only(mut use_cases: Vec<String>) -> Result<String> {
    match (use_cases.pop(), use_cases.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => bail!("the stack has no use case: `drivetrain onboard DOCUMENT` makes one"),
        (Some(last), false) => {
            use_cases.push(last);
            bail!("name one of the use cases: {}", use_cases.join(", "))
        }
    }
}

/// Whether a browser would be seen. macOS always has a display; elsewhere a variable names it.
fn has_display() -> bool {
    cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|display| !display.is_empty()))
}

/// Opens a file in the browser; where that fails, its path has to do.
async fn open(file: &Path) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = Command::new(program)
        .arg(file)
        .stdin(std::process::Stdio::null())
        .output()
        .await;
    if !opened.is_ok_and(|it| it.status.success()) {
        ui::say(&format!("{program} does not open it; the file is:"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_case_is_named_unless_there_is_one() {
        let names = |names: &[&str]| only(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(names(&["cars"]).unwrap(), "cars");
        assert!(names(&[]).unwrap_err().to_string().contains("onboard"));
        let error = names(&["boats", "cars"]).unwrap_err().to_string();
        assert!(error.contains("boats, cars"), "{error}");
    }
}
