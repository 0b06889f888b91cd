//! The plan of a monitoring run.

use super::{Job, Planner};
use crate::settings::Settings;
use contracts::MonitorPlan;
use contracts::monitoring::{LabelRules, MonitorNames, WindowRules};
use contracts::names::{self, Step};
use contracts::places::MonitoringPlaces;
use contracts::use_case::{Model, Monitoring, UseCase};
use jiff::Timestamp;

/// The whole plan.
pub fn monitoring(
    document: &UseCase,
    rules: &Monitoring,
    settings: &Settings,
    job: &Job<'_>,
    model: &Model,
    tick: Timestamp,
) -> MonitorPlan {
    let planner = Planner::new(document, settings, *job);
    let (stack, use_case) = (&settings.stack, &document.use_case);
    let name = |step| names::model_step(stack, use_case, &model.name, job.run_id, step);
    let folder = MonitoringPlaces {
        use_case,
        model: &model.name,
        run_id: job.run_id,
    }
    .root();
    MonitorPlan {
        stack: stack.clone(),
        run: planner.run_of(model),
        config_version: job.config_version.to_owned(),
        tick,
        rules: WindowRules {
            minimum_rows: rules.minimum_rows,
            patience_minutes: rules.patience_minutes,
            ground_truth_days: rules.ground_truth_days,
            target: document.target.name.clone(),
            labels: LabelRules::of(document),
        },
        names: MonitorNames {
            data_drift: name(Step::DataDrift),
            model_drift: name(Step::ModelDrift),
        },
        image: settings.images.monitor.clone(),
        resources: planner.processing_resources(),
        stopping: planner.processing_stop(),
        folder_uri: planner.folder_uri(&folder),
        minimum_rows: rules.minimum_rows.to_string(),
        tags: planner.tags(Some(model)),
    }
}
