//! CheckEndpoint: what an endpoint needs before a run deploys, whether it serves the configuration asked for afterwards,
//! and that it serves the champion when nothing was exported; and the lease that keeps two runs off one endpoint.
//!
//! A run's own deployment is the machine's work: it creates, updates and deletes. Back to the champion it goes from here
//! ([`restore`]), for a run on its way out and for the tick ([`reconcile`]) alike. What each status means is in [`rules`].

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

/// One look at an endpoint, or the tick's at all of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum Request {
    /// Before the deployment: takes the lease and says what the endpoint needs.
    Prepare {
        /// Which model of which run.
        run: ModelRun,
        /// The endpoint.
        endpoint_name: String,
        /// The configuration to bring it onto.
        endpoint_config: String,
        /// The instance type of that configuration.
        instance_type: String,
        /// Of the `champion.json` that the candidate was compared with; empty when there was none.
        champion_etag: String,
        /// Seconds to the next look.
        #[serde(default)]
        poll_seconds: u32,
    },
    /// After the deployment: renews the lease and says whether the endpoint has arrived.
    Verify {
        /// Which model of which run.
        run: ModelRun,
        /// The endpoint.
        endpoint_name: String,
        /// The configuration it shall be on.
        endpoint_config: String,
        /// Of the `champion.json` that the candidate was compared with; executions older than this name none.
        #[serde(default)]
        champion_etag: Option<String>,
        /// Seconds to the next look.
        #[serde(default)]
        poll_seconds: u32,
    },
    /// On the way out without an export: the endpoint goes back to the champion, then the lease.
    Restore {
        /// Which model of which run.
        run: ModelRun,
        /// Whether the way back was begun at an earlier look.
        begun: bool,
        /// Seconds to the next look.
        poll_seconds: u32,
    },
    /// The tick: every endpoint is compared with its champion, and those that nobody reads are retired.
    Reconcile,
    /// Somebody has stored a use case's document: its champions' endpoints are brought to them now.
    Onboard {
        /// The use case.
        use_case: String,
    },
    /// Somebody removes a use case: its endpoints go now.
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

    /// Answers one request.
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

    /// Takes the lease, then reads the champion; `Some` when the endpoint need not be looked at.
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
        // Only now: as long as this run holds the lease, no other one exports.
        self.champion_moved(run, Some(champion_etag)).await
    }

    /// Renews the lease, which must not have been anybody else's since the deployment, and reads the champion again:
    /// `Some` when the endpoint is not the run's to deploy any more.
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

    /// What follows when the champion is not the one that the candidate was compared with.
    async fn champion_moved(&self, run: &ModelRun, compared_etag: Option<&str>) -> Result<Option<Ruling>, Error> {
        let key = places::use_case::champion(&run.use_case, &run.model);
        let champion = self.documents.get::<Champion>(&key).await?;
        let compared = |etag: &str| compared_etag.is_none_or(|compared| compared == etag);
        Ok(match champion {
            Some(champion) if champion.value.run_id > run.run_id => Some(ruling(
                Action::Superseded,
                format!("the champion is of the newer run {}", champion.value.run_id),
            )),
            // Exported by an earlier try of this run.
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
