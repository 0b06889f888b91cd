//! `dashboard`: the dashboard of a use case, fetched and opened.

use crate::aws::{Target, Whom, describe};
use crate::layout::Layout;
use crate::process::output;
use crate::ui;
use anyhow::{Context, Result, bail};
use aws_sdk_s3::error::ProvideErrorMetadata;
use clap::Args;
use contracts::places;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Fetch a use case's dashboard and open it in the browser; without a display, say where it lies.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask dashboard                          of the only use case\n  \
    cargo xtask dashboard used-car-price --on aws\n  \
    cargo xtask dashboard --no-open                only fetch it, to target/dashboards/")]
pub struct Dashboard {
    /// Which use case [default: the only one]
    #[arg(value_name = "USE-CASE")]
    use_case: Option<String>,

    /// Where to put the file [default: target/dashboards/USE-CASE.html]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Don't open it
    #[arg(long)]
    no_open: bool,

    #[command(flatten)]
    whom: Whom,
}

impl Dashboard {
    /// Fetches, opens, and prints the file's path.
    ///
    /// # Errors
    /// There is no such use case, or it has no dashboard yet.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let target = self.whom.target(layout).await?;
        let bucket = target.platform().await?.bucket;
        let use_case = match &self.use_case {
            Some(use_case) => use_case.clone(),
            None => only(use_cases(&target, &bucket).await?)?,
        };
        let page = fetch(&target, &bucket, &use_case).await?;
        let file = match &self.output {
            Some(file) => file.clone(),
            None => layout.path(format!("target/dashboards/{use_case}.html")),
        };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        std::fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
        if !self.no_open && has_display() {
            open(&file).await;
        }
        ui::show(&layout.shown(&file));
        Ok(())
    }
}

async fn fetch(target: &Target, bucket: &str, use_case: &str) -> Result<Vec<u8>> {
    let key = places::use_case::dashboard(use_case);
    let page = match target.s3().get_object().bucket(bucket).key(&key).send().await {
        Ok(page) => page,
        Err(error) if error.code() == Some("NoSuchKey") => bail!(
            "{use_case} has no dashboard yet: the first monitoring run makes it, once a model serves and \
             predictions have been captured"
        ),
        Err(error) => return Err(describe("GetObject", error)),
    };
    Ok(page.body.collect().await.context("the dashboard breaks off")?.to_vec())
}

/// The use cases that are known to the stack.
async fn use_cases(target: &Target, bucket: &str) -> Result<Vec<String>> {
    let listed = target
        .s3()
        .list_objects_v2()
        .bucket(bucket)
        .prefix("use-cases/")
        .delimiter("/")
        .send()
        .await;
    let listed = listed.map_err(|error| describe("ListObjectsV2", error))?;
    let folders = listed.common_prefixes().iter().filter_map(|folder| folder.prefix());
    Ok(folders
        .map(|folder| folder.trim_start_matches("use-cases/").trim_end_matches('/').to_owned())
        .collect())
}

fn only(mut use_cases: Vec<String>) -> Result<String> {
    match (use_cases.pop(), use_cases.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => bail!("the stack has no use case: `cargo xtask onboard DOCUMENT` makes one"),
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
    if output(Command::new(program).arg(file)).await.is_err() {
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
