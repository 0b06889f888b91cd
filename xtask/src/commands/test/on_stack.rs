//! The steps that need a stack: the end-to-end tests and the demo. They get a stack of their own, which is removed
//! afterwards.

use super::step::{Outcome, QUERIES, Step, can_browse, counted, pytest};
use crate::cargo;
use crate::checks::counts::{self, Count};
use crate::commands::{env, up};
use crate::deploy;
use crate::environments::Environment;
use crate::layout::{Layout, Lock};
use crate::stack::{self, Wishes};
use crate::tick;
use anyhow::{Context, Result};
use contracts::places;
use drivetrain::target::Target;
use drivetrain::ui;
use std::path::Path;
use tokio::process::Command;

/// A name of its own, so that the user's own stack is left alone.
const INSTANCE: &str = "test";
/// If at most this many end-to-end tests have failed, they are tried once more; if more have, something is wrong with
/// the stack.
const MOST_REPEATED: usize = 3;
/// The use case that the demo uses.
const DEMONSTRATED: &str = "used-car-price";

impl Step {
    pub(super) async fn end_to_end(self, layout: &Layout) -> Result<Outcome> {
        let layout = &layout.with_instance(INSTANCE);
        let _lock: Lock = layout.lock_instance()?;
        // A stack that an interrupted test has left behind is not used.
        stack::remove(layout)?;
        let wishes = Wishes {
            images: vec![layout.path("tests/end_to_end/own_image/images.yaml")],
            // Low enough that a test can have more captures than the function takes.
            parameters: vec!["GlueThresholdBytes=4000000".to_owned()],
            ..Wishes::default()
        };
        // Stopped when this returns, however it returns.
        let (started, _) = up::bring_up(layout, &wishes).await?;
        // The tests themselves decide when live data is monitored.
        tick::hold(&started.state).await?;
        let variables = env::variables(layout).await?;
        let tests = |names: &[String]| {
            let mut tests = cargo::command(layout);
            tests.args(["test", "--workspace", "--test", "end-to-end", "--", "--ignored"]);
            tests.args(["--test-threads", "2"]);
            if !names.is_empty() {
                tests.arg("--exact").args(names);
            }
            tests.envs(variables.clone());
            // The test's own message is what counts, and a backtrace is longer than what is shown of a log.
            tests.env("RUST_BACKTRACE", "0");
            tests.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
            tests
        };
        let (success, text) = self.logged(layout, &mut tests(&[])).await?;
        let count = counted(success, counts::of_cargo(&text))?;
        let failed = counts::failed_of_cargo(&text);
        if success || failed.is_empty() || failed.len() > MOST_REPEATED {
            return Ok(Outcome::Ran(count));
        }
        // The tests wait for a whole stack on a machine of any speed. A real mistake fails again; a test that passes
        // now is reported.
        ui::say(&format!("{:<13} once more: {}", self.name(), failed.join(", ")));
        let (success, text) = self.logged(layout, &mut tests(&failed)).await?;
        let again = counted(success, counts::of_cargo(&text))?;
        let passed = count.passed + again.passed;
        let total = Count {
            passed,
            failed: again.failed,
        };
        Ok(Outcome::Repeated(total, usize::try_from(again.passed)?))
    }

    /// Runs the demo as users do, by a command of its own; then the reporting queries and the browser tests run on what
    /// it has reported.
    pub(super) async fn demo(self, layout: &Layout) -> Result<Outcome> {
        let layout = &layout.with_instance(INSTANCE);
        stack::remove(layout)?;
        let _gone = Gone(layout);
        let mut demo = Command::new(std::env::current_exe().context("this program has no path")?);
        demo.args(["--instance", INSTANCE, "demo"]);
        let (success, _) = self.logged(layout, &mut demo).await?;
        let mut count = Count::of(success);
        if !success {
            return Ok(Outcome::Ran(count));
        }

        let reported = layout.demo().join("reporting");
        fetch_reported(layout, &reported).await?;
        let mut queries = pytest(layout, Environment::Queries, QUERIES);
        queries.env("DRIVETRAIN_REPORTING", &reported);
        count = count + self.pytest(layout, &mut queries).await?;
        if can_browse() {
            count = count + self.look(layout, "tests/browser/demo", &layout.demo()).await?;
        }
        Ok(Outcome::Ran(count))
    }
}

/// Removes the stack when it is dropped.
struct Gone<'a>(&'a Layout);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if let Err(error) = stack::remove(self.0) {
            ui::error(&error.context("the demo's stack is left behind"));
        }
    }
}

/// Fetches the files that queries read from the bucket into `folder`, whose other contents are removed.
async fn fetch_reported(layout: &Layout, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let target = Target::local(layout.found().running()?, deploy::STACK);
    let bucket = target.platform().await?.bucket;
    let root = places::use_case::reporting(DEMONSTRATED);
    for key in target.keys(&bucket, &root).await? {
        let Some(name) = key.strip_prefix(&root) else {
            continue;
        };
        let bytes = target.get(&bucket, &key).await?;
        let bytes = bytes.with_context(|| format!("{key} is gone again"))?;
        let file = folder.join(name);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        std::fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
