//! The plan of a promotion: that of a training run of one model, with what training and gate would have left.

use super::{Job, Planner};
use crate::settings::Settings;
use contracts::champion::Baselines;
use contracts::plan::{BaselineJobs, Compared, Made, Plan, Saved, Trained};
use contracts::use_case::{Model, UseCase};
use contracts::{Promotion, RunId};

/// The baselines of what is promoted.
#[derive(Clone, Debug)]
pub enum Baselined {
    /// Where they are; none where a former champion has none.
    There(Option<Baselines>),
    /// How they are made.
    ToMake(Box<BaselineJobs>),
}

/// The whole plan. Its endpoint is that of the present document; what is promoted is as it was trained.
pub fn promotion(
    document: &UseCase,
    settings: &Settings,
    job: &Job<'_>,
    model: &Model,
    promotion: Promotion,
    baselines: Baselined,
) -> Plan {
    let mut branch = Planner::new(document, settings, *job).model(model);
    let candidate = &promotion.candidate;
    branch.columns.clone_from(&candidate.columns);
    branch.schema_hash.clone_from(&candidate.schema_hash);
    branch.image.clone_from(&candidate.image);
    branch.trained_by = candidate.trained_by.clone();
    branch.made = Some(Made {
        trained: Trained {
            training_job: candidate.training_job.clone(),
        },
        saved: Saved {
            model_name: candidate.model_name.clone(),
        },
        comparison: Compared {
            candidate_rmse: candidate.holdout_rmse,
            holdout_rows: candidate.holdout_rows,
            holdout: candidate.holdout.clone(),
            holdout_reference_rmse: candidate.holdout_reference_rmse,
        },
    });
    match baselines {
        Baselined::There(places) => {
            branch.baselines.places = places;
            branch.baselines.made = true;
        }
        Baselined::ToMake(jobs) => branch.baselines = *jobs,
    }
    branch.promotion = Some(promotion);
    Plan {
        stack: settings.stack.clone(),
        use_case: document.use_case.clone(),
        run_id: job.run_id.clone(),
        bucket: settings.bucket.clone(),
        config_version: job.config_version.to_owned(),
        preprocess: None,
        models: vec![branch],
    }
}

/// The jobs that make the baselines of a candidate that was held: they read what its run has left, and write there what it
/// lacks.
pub fn trained(
    document: &UseCase,
    settings: &Settings,
    trained_by: &RunId,
    config_version: &str,
    model: &Model,
) -> BaselineJobs {
    let job = Job {
        run_id: trained_by,
        config_version,
        onboarding: None,
        started_by_drift: false,
    };
    Planner::new(document, settings, job).baselines(model)
}
