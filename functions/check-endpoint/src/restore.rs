//! Brings an endpoint back to its champion's configuration: the same code serves a run on its way out and the tick.

use crate::rules::{self, Action, Back, Endpoint};
use crate::sagemaker::{Endpoints, Refused};
use crate::{CheckEndpoint, Error, Look};
use contracts::{Champion, ModelRun, places};
use jiff::Timestamp;

/// The relation of an endpoint to its champion after a step towards it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It serves the champion.
    Serving(String),
    /// It is changing.
    Moving(String),
    /// A step was taken: an update, a creation, or the deletion that must come before one.
    Taken {
        /// What was wrong, and what was done.
        reason: String,
        /// Whether the endpoint is now changing to the champion.
        begun: bool,
        /// Whether it answers requests meanwhile, with what it serves.
        answers: bool,
    },
    /// It doesn't serve the champion, and can't be brought to it.
    Stuck(String),
}

/// Takes the next step that brings the endpoint of `champion` to its configuration. The caller holds the lease, and
/// says whether it has begun an update or creation before: what SageMaker has rolled back is not tried again at once.
pub(crate) async fn bring_back(
    endpoints: &Endpoints,
    champion: &Champion,
    begun: bool,
) -> Result<Standing, platform::Error> {
    let name = &champion.endpoint_name;
    let endpoint = endpoints.describe(name).await?;
    let answers = endpoint.as_ref().is_some_and(Endpoint::answers);
    let (back, reason) = rules::back_to_champion(endpoint.as_ref(), champion, begun);
    let change = match back {
        Back::Serving => return Ok(Standing::Serving(reason)),
        Back::Wait => return Ok(Standing::Moving(reason)),
        Back::Stuck => return Ok(Standing::Stuck(reason)),
        Back::Create => endpoints.create(champion).await?,
        Back::Delete => endpoints.delete(name).await?,
        Back::Update => {
            let running = endpoint.as_ref().map_or("", |endpoint| endpoint.config.as_str());
            // A change of the instance type is refused while the variant has scaling.
            if endpoints.instance_type(running).await? != endpoints.instance_type(&champion.endpoint_config).await? {
                endpoints.deregister(name, &champion.variant_name).await?;
            }
            endpoints.update(champion).await?
        }
    };
    Ok(match change {
        Ok(()) => Standing::Taken {
            reason,
            begun: back != Back::Delete,
            answers,
        },
        Err(Refused(why)) => Standing::Stuck(format!("{reason}; SageMaker refuses to repair it: {why}")),
    })
}

impl CheckEndpoint {
    /// The way out of a run that has exported nothing: if its endpoint serves something other than the champion, it is
    /// brought back. The endpoint of a use case that was removed meanwhile is deleted, since nothing uses it. The run
    /// has to call again until this is done; then the lease is given back, and the run's decision says what serves.
    pub(crate) async fn restore(
        &self,
        run: &ModelRun,
        begun: bool,
        poll_seconds: u32,
        now: Timestamp,
    ) -> Result<Look, Error> {
        if let Some(holder) = self.leases.take(run, now, poll_seconds).await? {
            let reason = format!(
                "run {} holds the lease of the endpoint: what it leaves serves",
                holder.run_id
            );
            return self.left(run, Action::Left, reason, now).await;
        }
        if self.use_cases.pointer(&run.use_case).await?.is_none() {
            let reason = self.remove(&run.use_case, &run.model).await?;
            self.leases.give_back(run, now).await?;
            return self.left(run, Action::Left, reason, now).await;
        }
        let key = places::use_case::champion(&run.use_case, &run.model);
        let Some(champion) = self.documents.get::<Champion>(&key).await? else {
            let reason = "there is no champion: no request is answered".to_owned();
            self.leases.give_back(run, now).await?;
            return self.left(run, Action::Left, reason, now).await;
        };
        let (action, reason, begun) = match bring_back(&self.endpoints, &champion.value, begun).await? {
            Standing::Serving(reason) => (Action::Serving, reason, begun),
            Standing::Moving(reason) => (Action::Wait, reason, begun),
            Standing::Taken { reason, begun: now, .. } => (Action::Wait, reason, begun || now),
            Standing::Stuck(reason) => (Action::Stuck, reason, begun),
        };
        if action == Action::Wait {
            return Ok(Look {
                begun,
                ..Look::of(action, reason)
            });
        }
        self.leases.give_back(run, now).await?;
        self.left(run, action, reason, now).await
    }

    async fn left(&self, run: &ModelRun, action: Action, reason: String, now: Timestamp) -> Result<Look, Error> {
        // A run that has judged nothing for the model yet has not touched its endpoint either.
        if self.decisions.get(run).await?.is_some() {
            let serves = reason.clone();
            self.decisions
                .update(run, now, |decision| decision.serves = Some(serves))
                .await?;
        }
        Ok(Look::of(action, reason))
    }
}
