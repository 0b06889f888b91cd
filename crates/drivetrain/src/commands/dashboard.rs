//! `dashboard`: the dashboard of a use case, or the page of all of them, fetched and opened.

use crate::target::{Platform, Target};
use crate::{Context as Asked, onboarding, output, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use contracts::places;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Fetch a use case's dashboard, or the page of all, and open it in the browser; without a display, say where it lies.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain dashboard                          of the only use case; of several, the page that lists them\n  \
    drivetrain dashboard --all --output pages     the page of all use cases, and theirs beside it\n  \
    drivetrain dashboard used-car-price --output cars.html\n  \
    drivetrain dashboard --no-open                only fetch it")]
pub struct Dashboard {
    /// Which use case [default: the only one; all, where there are several]
    #[arg(value_name = "USE-CASE")]
    use_case: Option<String>,

    /// The page that lists all use cases, with theirs, which it leads to
    #[arg(long, conflicts_with = "use_case")]
    all: bool,

    /// Where to put the file, or the folder of the pages of all [default: USE-CASE-dashboard.html or the folder dashboards, in
    /// the working directory]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Don't open it
    #[arg(long)]
    no_open: bool,
}

#[derive(Debug, Serialize)]
struct Fetched {
    /// None of the page of all.
    use_case: Option<String>,
    /// What was opened.
    file: PathBuf,
    /// The pages that the page of all leads to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pages: Vec<PathBuf>,
}

/// Pages fetched at the same time.
const AT_ONCE: usize = 4;

impl Dashboard {
    /// Fetches, opens, and prints the file's path.
    ///
    /// # Errors
    /// There is no such use case, or there is no dashboard yet.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let target = context.target().await?;
        let fetched = self.fetch(&target, &target.platform().await?).await?;
        if !self.no_open && !context.json() && has_display() {
            open(&fetched.file).await;
        }
        context.show(&fetched, |it| it.file.display().to_string())
    }

    async fn fetch(&self, target: &Target, platform: &Platform) -> Result<Fetched> {
        if let Some(use_case) = &self.use_case {
            return self.of_one(target, platform, use_case).await;
        }
        let onboarded = onboarding::onboarded(target, platform).await?;
        match onboarded.as_slice() {
            [] if !self.all => bail!(
                "the stack has no use case: `{}` makes one",
                target.command("onboard DOCUMENT")
            ),
            [only] if !self.all => self.of_one(target, platform, only).await,
            _ => {
                let bucket = &platform.bucket;
                self.of_all(target, bucket, &target.use_cases(bucket).await?).await
            }
        }
    }

    async fn of_one(&self, target: &Target, platform: &Platform, use_case: &str) -> Result<Fetched> {
        let page = target
            .get(&platform.bucket, &places::use_case::dashboard(use_case))
            .await?;
        // One that was offboarded keeps its page.
        if page.is_none() {
            onboarding::document(target, platform, use_case).await?;
        }
        let page = page.with_context(|| {
            format!(
                "{use_case} has no dashboard yet: the end of a run makes it, as does a refused file. `{}` starts a run, and `{}` \
                 shows those under way",
                target.command(&format!("drop {use_case} FILE")),
                target.command("status")
            )
        })?;
        let file = match &self.output {
            Some(file) => file.clone(),
            None => PathBuf::from(format!("{use_case}-dashboard.html")),
        };
        write(&file, &page)?;
        Ok(Fetched {
            use_case: Some(use_case.to_owned()),
            file,
            pages: Vec::new(),
        })
    }

    /// The page of all, and below the same folder as in the bucket those that it leads to: so its links work.
    async fn of_all(&self, target: &Target, bucket: &str, use_cases: &[String]) -> Result<Fetched> {
        let page = target.get(bucket, places::ALL_DASHBOARDS).await?;
        let page = page.with_context(|| {
            format!(
                "there is no page of all use cases yet: the end of a run of any of them makes it, as does a refused file. `{}` \
                 starts a run, and `{}` shows those under way",
                target.command("drop USE-CASE FILE"),
                target.command("status")
            )
        })?;
        let folder = self.output.clone().unwrap_or_else(|| PathBuf::from("dashboards"));
        if use_cases.len() > AT_ONCE {
            ui::say(&format!("fetching the pages of {} use cases", use_cases.len()));
        }
        let reads = use_cases.iter().map(|use_case| async move {
            let key = places::use_case::dashboard(use_case);
            let page = target.get(bucket, &key).await?;
            anyhow::Ok(page.map(|page| (key, page)))
        });
        let mut pages = Vec::new();
        let mut found = std::pin::pin!(stream::iter(reads).buffered(AT_ONCE));
        // One without a run has none yet, and the page of all says so.
        while let Some(found) = found.try_next().await? {
            let Some((key, page)) = found else { continue };
            let file = folder.join(key);
            write(&file, &page)?;
            pages.push(file);
        }
        let file = folder.join(places::ALL_DASHBOARDS);
        write(&file, &page)?;
        Ok(Fetched {
            use_case: None,
            file,
            pages,
        })
    }
}

fn write(file: &Path, page: &[u8]) -> Result<()> {
    output::refuse_folder(file)?;
    output::create_folders(file)?;
    std::fs::write(file, page).with_context(|| output::cannot_write(file))
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
    use fake_aws::FakeAws;

    fn onboard(aws: &FakeAws, use_case: &str) {
        let document = serde_json::json!({
            "use_case": use_case, "schema": {"columns": []}, "target": {"name": "price"}, "models": [],
        });
        aws.put_object_json("bucket", &places::use_case::config(use_case), &document);
        let pointer = r#"{"uri": "s3://bucket/c", "version_id": "v", "sha256": "s"}"#;
        aws.put_parameter(&places::parameters::config("dev", use_case), pointer);
    }

    fn stack(use_cases: &[&str]) -> FakeAws {
        let aws = FakeAws::new();
        for use_case in use_cases {
            onboard(&aws, use_case);
            aws.put_object(
                "bucket",
                &places::use_case::dashboard(use_case),
                format!("page of {use_case}"),
            );
        }
        if !use_cases.is_empty() {
            aws.put_object("bucket", places::ALL_DASHBOARDS, "page of all");
        }
        aws
    }

    /// What is opened, as text, and the files of the pages that it leads to.
    async fn fetched(aws: &FakeAws, use_case: Option<&str>, all: bool) -> Result<(String, Vec<PathBuf>)> {
        let folder = tempfile::tempdir().unwrap();
        let command = Dashboard {
            use_case: use_case.map(str::to_owned),
            all,
            output: Some(folder.path().join("out")),
            no_open: true,
        };
        let target = Target::with_config("dev", aws.sdk_config());
        let fetched = command.fetch(&target, &Platform::of_tests("bucket")).await?;
        let text = std::fs::read_to_string(&fetched.file).unwrap();
        assert!(fetched.pages.iter().all(|page| page.exists()));
        let from = |page: &PathBuf| page.strip_prefix(folder.path()).unwrap().to_owned();
        Ok((text, fetched.pages.iter().map(from).collect()))
    }

    #[tokio::test]
    async fn the_page_of_the_only_use_case_or_of_all_is_fetched() {
        let aws = stack(&["cars"]);
        assert_eq!(
            fetched(&aws, None, false).await.unwrap(),
            ("page of cars".to_owned(), vec![])
        );
        assert_eq!(fetched(&aws, None, true).await.unwrap().0, "page of all");

        aws.put_object("bucket", "use-cases/offboarded/models/m/champion.json", "{}");
        assert_eq!(fetched(&aws, None, false).await.unwrap().0, "page of cars");

        let aws = stack(&["boats", "cars"]);
        onboard(&aws, "new");
        let (text, pages) = fetched(&aws, None, false).await.unwrap();
        assert_eq!(text, "page of all");
        let places = [
            "out/boats/reporting/dashboard.html",
            "out/cars/reporting/dashboard.html",
        ];
        assert_eq!(pages, places.map(PathBuf::from), "as its links have it");
        assert_eq!(fetched(&aws, Some("boats"), false).await.unwrap().0, "page of boats");
    }

    #[tokio::test]
    async fn what_is_not_there_yet_says_what_makes_it() {
        let aws = stack(&[]);
        let error = async |use_case, all| fetched(&aws, use_case, all).await.unwrap_err().to_string();
        assert!(error(None, false).await.contains("onboard"));
        assert!(error(Some("cars"), false).await.contains("has no use case `cars`"));
        onboard(&aws, "cars");
        let none_yet = error(Some("cars"), false).await;
        assert!(none_yet.contains("drop cars FILE` starts a run"), "{none_yet}");
        assert!(
            error(None, true)
                .await
                .contains("the end of a run of any of them makes it")
        );
    }
}
