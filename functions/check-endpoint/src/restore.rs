//! Brings an endpoint back to what its champion says: the one piece of code for the way out of a run and for the tick.

use crate::rules::{self, Action, Back, Endpoint};
use crate::sagemaker::{Endpoints, Refused};
use crate::{CheckEndpoint, Error, Look};
use contracts::{Champion, ModelRun, places};
use jiff::Timestamp;

/// How an endpoint stands to its champion after a step towards it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It serves the champion.
    Serving(String),
    /// It is on its way somewhere.
    Moving(String),
    /// A step was taken: an update, a creation, or the deletion that comes before one.
    Taken {
        /// Why, and what.
        reason: String,
        /// Whether the endpoint is on its way to the champion now.
        begun: bool,
        /// Whether it answers meanwhile, with what it serves.
        answers: bool,
    },
    /// It doesn't serve the champion, and can't be brought there.
    Stuck(String),
}

/// Takes the next step that brings the endpoint of `champion` onto its configuration. The caller holds the lease, and
/// says whether it has begun an update or creation before: what SageMaker has gone back from is not tried again at once.
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
            // Another instance type is refused while the variant scales.
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
        Err(Refused(why)) => Standing::Stuck(format!("{reason}; SageMaker refuses to mend it: {why}")),
    })
}

impl CheckEndpoint {
    /// The way out of a run that has exported nothing: if its endpoint serves something else than the champion, it is
    /// brought back. That of a use case that was removed meanwhile is deleted: nobody reads it. The run is told to come
    /// again until it is there; then it gives back the lease, and its decision says what serves.
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
        // A run whose branch has judged nothing yet has touched nothing either.
        if self.decisions.get(run).await?.is_some() {
            let serves = reason.clone();
            self.decisions
                .update(run, now, |decision| decision.serves = Some(serves))
                .await?;
        }
        Ok(Look::of(action, reason))
    }
}
