//! When a use case's document is stored, the endpoints of its existing champions are brought into service at once,
//! without waiting for the next tick. If the use case had been removed, all of these endpoints are gone.

use crate::champions::Champions;
use crate::restore::{Standing, bring_back};
use crate::{CheckEndpoint, Error, Onboarded};
use aws_sdk_sagemaker::types::EndpointStatus;
use jiff::Timestamp;

impl CheckEndpoint {
    /// Looks at the endpoints of a use case's champions, and takes the next step to bring each into service. No mail is
    /// sent: the caller gets the result.
    pub(crate) async fn onboard(&self, use_case: &str, now: Timestamp) -> Result<Onboarded, Error> {
        let mut champions = Champions::default();
        self.champions_of(use_case, &mut champions).await?;
        let mut done = Onboarded::default();
        for champion in &champions.read {
            let name = &champion.endpoint_name;
            let endpoint = self.endpoints.describe(name).await?;
            match endpoint.map(|endpoint| (endpoint.status, endpoint.config)) {
                Some((EndpointStatus::InService, config)) if config == champion.endpoint_config => continue,
                Some((EndpointStatus::Deleting, _)) => {
                    let run = &champion.run_id;
                    done.deleting
                        .push(format!("endpoint {name} of champion {run} is Deleting"));
                    continue;
                }
                _ => {}
            }
            let run = self.repair_run(use_case, &champion.model, now);
            if let Some(holder) = self.leases.take(&run, now, 0).await? {
                let holder = &holder.run_id;
                done.moving.push(format!(
                    "run {holder} holds the lease of endpoint {name}, and leaves it in order"
                ));
                continue;
            }
            let standing = bring_back(&self.endpoints, champion, false).await;
            self.leases.give_back(&run, now).await?;
            match standing? {
                Standing::Serving(_) => {}
                Standing::Taken { reason, .. } => done.begun.push(reason),
                Standing::Moving(reason) => done.moving.push(reason),
                Standing::Stuck(reason) => done.stuck.push(reason),
            }
        }
        tracing::info!(use_case, ?done, "use case onboarded");
        Ok(done)
    }
}
