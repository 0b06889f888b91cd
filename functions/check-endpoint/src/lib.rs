//! CheckEndpoint and VerifyEndpoint: what an endpoint needs before a run deploys, and whether it serves the
//! configuration asked for afterwards; and the lease that keeps two runs off one endpoint.
//!
//! Nothing is deployed here: the machine creates, updates and deletes. What each status means is in [`rules`].

pub mod rules;

use aws_config::SdkConfig;
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::types::EndpointStatus;
use contracts::{Champion, ModelRun, places};
use jiff::Timestamp;
use platform::{Documents, Leases};
use rules::{Endpoint, Ruling};
use serde::{Deserialize, Serialize};

/// The function.
#[derive(Clone, Debug)]
pub struct CheckEndpoint {
    documents: Documents,
    leases: Leases,
    sagemaker: Client,
}

/// One look at an endpoint.
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
    },
    /// After the deployment: renews the lease and says whether the endpoint has arrived.
    Verify {
        /// Which model of which run.
        run: ModelRun,
        /// The endpoint.
        endpoint_name: String,
        /// The configuration it shall be on.
        endpoint_config: String,
    },
    /// Gives the lease back.
    Release {
        /// Which model of which run.
        run: ModelRun,
    },
}

/// What to do next. Every key is always there, so that every path of the machine exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// What to do.
    pub action: Action,
    /// Why, in one sentence for people.
    pub reason: String,
    /// The endpoint's status; empty when there is none or nobody looked.
    pub endpoint_status: String,
    /// Whether the scaling target must go before the update: the instance type changes.
    pub deregister_scaling: bool,
}

/// What the machine does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Create the endpoint.
    Create,
    /// Update it.
    Update,
    /// Look again later; the lease is another run's, or the endpoint is on its way somewhere.
    Wait,
    /// Delete it and look again: nothing else can be done with a Failed endpoint.
    Replace,
    /// Go on to verify: it is on the configuration already, from an earlier try.
    Verify,
    /// Compare again: the champion has changed since.
    Recompare,
    /// End the run: a newer run's champion is there.
    Superseded,
    /// Go on: it serves the configuration asked for.
    Verified,
    /// End the run as failed: SageMaker went back to the configuration before.
    RolledBack,
    /// End the run as failed.
    Fail,
    /// The lease is given back.
    Released,
}

impl Action {
    /// Whether the run has no more business with the endpoint.
    fn ends_the_lease(self) -> bool {
        matches!(
            self,
            Self::Recompare | Self::Superseded | Self::RolledBack | Self::Fail | Self::Released
        )
    }
}

impl CheckEndpoint {
    /// The function with its clients.
    pub fn new(config: &SdkConfig, bucket: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            leases: Leases::new(documents.clone()),
            documents,
            sagemaker: Client::new(config),
        }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        let (run, response) = match request {
            Request::Prepare {
                run,
                endpoint_name,
                endpoint_config,
                instance_type,
                champion_etag,
            } => {
                let mut response = match self.before_looking(&run, &champion_etag, now).await? {
                    Some(ruling) => answer(ruling, None),
                    None => {
                        let endpoint = self.describe(&endpoint_name).await?;
                        let ruling = rules::before_deployment(endpoint.as_ref(), &endpoint_config);
                        let mut response = answer(ruling, endpoint.as_ref());
                        if let (Action::Update, Some(endpoint)) = (response.action, &endpoint) {
                            let running = self.instance_type(&endpoint.config).await?;
                            response.deregister_scaling = running.as_deref() != Some(&instance_type);
                        }
                        response
                    }
                };
                if response.deregister_scaling {
                    response.reason += &format!("; its instance type changes to {instance_type}");
                }
                (run, response)
            }
            Request::Verify {
                run,
                endpoint_name,
                endpoint_config,
            } => {
                let response = match self.leases.take(&run, now).await? {
                    Some(holder) => {
                        let reason = format!("the lease of the endpoint was lost to run {}", holder.run_id);
                        answer(ruling(Action::Fail, reason), None)
                    }
                    None => {
                        let endpoint = self.describe(&endpoint_name).await?;
                        let ruling = rules::after_deployment(endpoint.as_ref(), &endpoint_name, &endpoint_config);
                        answer(ruling, endpoint.as_ref())
                    }
                };
                (run, response)
            }
            Request::Release { run } => (
                run,
                answer(ruling(Action::Released, "the lease is given back".to_owned()), None),
            ),
        };
        if response.action.ends_the_lease() {
            self.leases.give_back(&run, now).await?;
        }
        let Response { action, reason, .. } = &response;
        tracing::info!(run_id = %run.run_id, model = run.model, ?action, reason, "endpoint checked");
        Ok(response)
    }

    /// Takes the lease, then reads the champion; `Some` when the endpoint need not be looked at.
    async fn before_looking(
        &self,
        run: &ModelRun,
        champion_etag: &str,
        now: Timestamp,
    ) -> Result<Option<Ruling>, Error> {
        if let Some(holder) = self.leases.take(run, now).await? {
            let reason = format!(
                "run {} holds the lease of the endpoint until {}",
                holder.run_id, holder.expires_at
            );
            return Ok(Some(ruling(Action::Wait, reason)));
        }
        // Only now: as long as this run holds the lease, no other one exports.
        let key = places::use_case::champion(&run.use_case, &run.model);
        let champion = self.documents.get::<Champion>(&key).await?;
        Ok(match champion {
            Some(champion) if champion.value.run_id > run.run_id => Some(ruling(
                Action::Superseded,
                format!("the champion is of the newer run {}", champion.value.run_id),
            )),
            // Exported by an earlier try of this run.
            Some(champion) if champion.value.run_id == run.run_id => None,
            Some(champion) if champion.etag != champion_etag => Some(ruling(
                Action::Recompare,
                format!("run {} has become the champion meanwhile", champion.value.run_id),
            )),
            None if !champion_etag.is_empty() => Some(ruling(
                Action::Recompare,
                "the champion that the candidate was compared with is gone".to_owned(),
            )),
            _ => None,
        })
    }

    async fn describe(&self, name: &str) -> Result<Option<Endpoint>, Error> {
        match self.sagemaker.describe_endpoint().endpoint_name(name).send().await {
            Ok(found) => Ok(Some(Endpoint {
                name: name.to_owned(),
                status: found
                    .endpoint_status()
                    .cloned()
                    .unwrap_or_else(|| EndpointStatus::from("Unknown")),
                config: found.endpoint_config_name().unwrap_or_default().to_owned(),
                failure_reason: found.failure_reason().map(str::to_owned),
            })),
            Err(error) if could_not_find(&error) => Ok(None),
            Err(error) => Err(platform::Error::aws_call(format!("DescribeEndpoint {name}"), &error).into()),
        }
    }

    /// The instance type of a configuration; `None` when it has none, or is gone.
    async fn instance_type(&self, config: &str) -> Result<Option<String>, Error> {
        let request = self.sagemaker.describe_endpoint_config().endpoint_config_name(config);
        match request.send().await {
            Ok(found) => {
                let variant = found.production_variants().first();
                Ok(variant
                    .and_then(|variant| variant.instance_type())
                    .map(|instance_type| instance_type.as_str().to_owned()))
            }
            Err(error) if could_not_find(&error) => Ok(None),
            Err(error) => Err(platform::Error::aws_call(format!("DescribeEndpointConfig {config}"), &error).into()),
        }
    }
}

/// SageMaker gives an endpoint that isn't there no code of its own.
fn could_not_find(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ValidationException")
        && error
            .message()
            .is_some_and(|message| message.starts_with("Could not find"))
}

fn ruling(action: Action, reason: String) -> Ruling {
    Ruling { action, reason }
}

fn answer(ruling: Ruling, endpoint: Option<&Endpoint>) -> Response {
    Response {
        action: ruling.action,
        reason: ruling.reason,
        endpoint_status: endpoint.map_or_else(String::new, |endpoint| endpoint.status.as_str().to_owned()),
        deregister_scaling: false,
    }
}

/// Why there is no answer. Whatever an endpoint may be like is an answer, never an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What `platform` says.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

impl Error {
    /// The name that state machines match.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Platform(error) => error.error_type(),
        }
    }
}

platform::diagnostic!(Error);
