//! `up`: starts the local stack and deploys Drivetrain to it.

use crate::layout::Layout;
use crate::stack::{self, Started, Wishes};
use crate::{cargo, deploy, environments, generate};
use anyhow::Result;
use clap::Args;
use drivetrain::ui;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Start the local stack and deploy Drivetrain to it; does only what is missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask up\n  \
    cargo xtask up --port 14566 --sagemaker-port 14570\n  \
    cargo xtask up --images my-images.yaml      an image of your own, mapped to a program\n  \
    cargo xtask up --parameter LogRetentionDays=7\n  \
    cargo xtask --instance second up            another stack beside the first")]
pub struct Up {
    #[command(flatten)]
    wishes: Wishes,
}

/// The seconds of each phase, in the order of the work.
pub type Phases = BTreeMap<&'static str, f64>;

impl Up {
    /// Starts whatever isn't up.
    ///
    /// # Errors
    /// Set-up, build, start or deployment fails; what was started is stopped again.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let _lock = layout.lock_instance()?;
        let (started, _) = bring_up(layout, &self.wishes).await?;
        let endpoint = started.state.endpoint();
        started.keep();
        let of_instance = if layout.is_default_instance() {
            String::new()
        } else {
            format!(" --instance {}", layout.instance())
        };
        ui::say(&format!(
            "\nThe local stack is up at {endpoint}. Next:\n  \
             eval \"$(cargo xtask{of_instance} env)\"                      let `drivetrain` and any AWS client speak to it\n  \
             drivetrain onboard models/used-car-price.yaml   store a use case\n  \
             drivetrain status                               what serves, what runs; also `logs`, `doctor`\n  \
             cargo xtask{of_instance} down"
        ));
        Ok(())
    }
}

/// Does everything that leads to a deployed stack; returns the seconds of each phase as well. The caller holds the
/// instance's lock.
///
/// # Errors
/// As [`Up::run`].
pub async fn bring_up(layout: &Layout, wishes: &Wishes) -> Result<(Started, Phases)> {
    // What deploys is what people have written: a change of a source alone would be lost here.
    generate::check(layout)?;
    let mut phases = Phases::new();
    let mut clock = Instant::now();
    let mut lap = |name: &'static str| {
        phases.insert(name, round(clock.elapsed()));
        clock = Instant::now();
    };
    environments::ensure(layout, &environments::Environment::FOR_STACK).await?;
    lap("setup");
    let binaries = cargo::build(layout).await?;
    lap("build");
    let mut started = stack::start(layout, wishes, &binaries).await?;
    lap("up");
    deploy::deploy(layout, &mut started.state, &binaries, &wishes.parameters).await?;
    lap("deploy");
    Ok((started, phases))
}

/// Seconds with one decimal: more would suggest false precision.
pub fn round(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}
