//! CheckEndpoint: decides what an endpoint needs before a run deploys, whether it serves the intended configuration
//! afterwards, and makes sure that it serves the champion if nothing was exported. It also manages the lease that keeps
//! two runs off the same endpoint.
//!
//! A run's own deployment is done by the state machine, which creates, updates and deletes. Endpoints are brought back
//! to the champion by this function ([`restore`]), both for a run on its way out and for the tick ([`reconcile`]).
//! [`rules`] says what each status means.

mod champions;
mod context;
mod error;
mod notice;
mod onboard;
mod reconcile;
mod response;
mod restore;
mod retire;
pub mod rules;
mod sagemaker;

pub use context::CheckEndpoint;
pub use error::Error;
pub use response::{Look, Offboarded, Onboarded, Reconciled, Response};
pub use rules::Action;

use aws_config::SdkConfig;
use contracts::{Champion, ModelRun, places};
use jiff::Timestamp;
use platform::{Decisions, Documents, Leases, Notices, UseCases};
use rules::Ruling;
use sagemaker::Endpoints;
use serde::Deserialize;

/// A look at one endpoint, or at all of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum Request {
    /// Before the deployment: takes the lease and answers what the endpoint needs.
    Prepare {
        /// The model and the run.
        run: ModelRun,
        /// The endpoint's name.
        endpoint_name: String,
        /// The configuration to which it is to be brought.
        endpoint_config: String,
        /// The instance type of that configuration.
        instance_type: String,
        /// The ETag of the `champion.json` that the candidate was compared with; empty when there was none.
        champion_etag: String,
        /// Seconds until the next look.
        #[serde(default)]
        poll_seconds: u32,
    },
    /// After the deployment: renews the lease and answers whether the endpoint is on the configuration.
    Verify {
        /// The model and the run.
        run: ModelRun,
        /// The endpoint's name.
        endpoint_name: String,
        /// The configuration on which it should be.
        endpoint_config: String,
        /// The ETag of the `champion.json` that the candidate was compared with; `None` in executions that predate it.
        #[serde(default)]
        champion_etag: Option<String>,
        /// Seconds until the next look.
        #[serde(default)]
        poll_seconds: u32,
    },
    /// On the way out without an export: brings the endpoint back to the champion, then gives back the lease.
    Restore {
        /// The model and the run.
        run: ModelRun,
        /// Whether an earlier look has begun to bring the endpoint back.
        begun: bool,
        /// Seconds until the next look.
        poll_seconds: u32,
    },
    /// The tick: compares every endpoint with its champion, and retires those that are no longer used.
    Reconcile,
    /// A use case's document was stored: brings the endpoints of its champions into service now.
    Onboard {
        /// The use case.
        use_case: String,
    },
    /// A use case is being removed: deletes its endpoints now.
    Offboard {
        /// The use case.
        use_case: String,
    },
}

impl CheckEndpoint {
    /// The function with its clients.
    pub fn new(config: &SdkConfig, bucket: &str, stack: &str, topic_arn: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            decisions: Decisions::new(documents.clone()),
            leases: Leases::new(documents.clone()),
            use_cases: UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), stack),
            notices: Notices::new(aws_sdk_sns::Client::new(config), topic_arn),
            endpoints: Endpoints::new(config, stack),
            documents,
        }
    }

    /// Handles a request.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        let (run, look) = match request {
            Request::Prepare {
                run,
                endpoint_name,
                endpoint_config,
                instance_type,
                champion_etag,
                poll_seconds,
            } => {
                if let Some(ruling) = self.before_looking(&run, &champion_etag, poll_seconds, now).await? {
                    (run, Look::at(ruling, None))
                } else {
                    let endpoint = self.endpoints.describe(&endpoint_name).await?;
                    let ruling = rules::before_deployment(endpoint.as_ref(), &endpoint_config);
                    let mut look = Look::at(ruling, endpoint.as_ref());
                    if let (Action::Update, Some(endpoint)) = (look.action, &endpoint) {
                        let running = self.endpoints.instance_type(&endpoint.config).await?;
                        look.deregister_scaling = running.as_deref() != Some(&instance_type);
                    }
                    if look.deregister_scaling {
                        look.reason += &format!("; its instance type changes to {instance_type}");
                    }
                    (run, look)
                }
            }
            Request::Verify {
                run,
                endpoint_name,
                endpoint_config,
                champion_etag,
                poll_seconds,
            } => {
                let etag = champion_etag.as_deref();
                let look = if let Some(ruling) = self.before_verifying(&run, etag, poll_seconds, now).await? {
                    Look::at(ruling, None)
                } else {
                    let endpoint = self.endpoints.describe(&endpoint_name).await?;
                    let ruling = rules::after_deployment(endpoint.as_ref(), &endpoint_name, &endpoint_config);
                    Look::at(ruling, endpoint.as_ref())
                };
                (run, look)
            }
            Request::Restore {
                run,
                begun,
                poll_seconds,
            } => {
                let look = self.restore(&run, begun, poll_seconds, now).await?;
                (run, look)
            }
            Request::Reconcile => return Ok(Response::Reconciled(self.reconcile(now).await?)),
            Request::Onboard { use_case } => {
                return Ok(Response::Onboarded(self.onboard(&use_case, now).await?));
            }
            Request::Offboard { use_case } => {
                return Ok(Response::Offboarded(self.offboard(&use_case, now).await?));
            }
        };
        let Look { action, reason, .. } = &look;
        tracing::info!(run_id = %run.run_id, model = run.model, ?action, reason, "endpoint checked");
        Ok(Response::Look(look))
    }

    /// Takes the lease, then reads the champion; `Some` is the answer if the endpoint need not be looked at.
    async fn before_looking(
        &self,
        run: &ModelRun,
        champion_etag: &str,
        poll_seconds: u32,
        now: Timestamp,
    ) -> Result<Option<Ruling>, Error> {
        if let Some(holder) = self.leases.take(run, now, poll_seconds).await? {
            let reason = format!(
                "run {} holds the lease of the endpoint until {}",
                holder.run_id, holder.expires_at
            );
            return Ok(Some(ruling(Action::Wait, reason)));
        }
        // Checked only under the lease: while this run holds it, no other run exports.
        self.champion_moved(run, Some(champion_etag)).await
    }

    /// Renews the lease, which must have been this run's since the deployment, and reads the champion again. `Some` is
    /// the answer if the run may no longer deploy to the endpoint.
    async fn before_verifying(
        &self,
        run: &ModelRun,
        champion_etag: Option<&str>,
        poll_seconds: u32,
        now: Timestamp,
    ) -> Result<Option<Ruling>, Error> {
        let held = self.leases.renew(run, now, poll_seconds).await?;
        let moved = self.champion_moved(run, champion_etag).await?;
        Ok(match moved {
            None if !held => Some(ruling(
                Action::Fail,
                "the lease of the endpoint was lost: another run may have changed it; run again".to_owned(),
            )),
            moved => moved,
        })
    }

    /// The answer if the champion is not the one that the candidate was compared with.
    async fn champion_moved(&self, run: &ModelRun, compared_etag: Option<&str>) -> Result<Option<Ruling>, Error> {
        let key = places::use_case::champion(&run.use_case, &run.model);
        let champion = self.documents.get::<Champion>(&key).await?;
        let compared = |etag: &str| compared_etag.is_none_or(|compared| compared == etag);
        Ok(match champion {
            Some(champion) if champion.value.run_id > run.run_id => Some(ruling(
                Action::Superseded,
                format!("the champion is of the newer run {}", champion.value.run_id),
            )),
            // An earlier try of this run has exported it.
            Some(champion) if champion.value.run_id == run.run_id => None,
            Some(champion) if !compared(&champion.etag) => Some(ruling(
                Action::Recompare,
                format!("run {} has become the champion meanwhile", champion.value.run_id),
            )),
            None if !compared("") => Some(ruling(
                Action::Recompare,
                "the champion that the candidate was compared with is gone".to_owned(),
            )),
            _ => None,
        })
    }
}

fn ruling(action: Action, reason: String) -> Ruling {
    Ruling { action, reason }
}
