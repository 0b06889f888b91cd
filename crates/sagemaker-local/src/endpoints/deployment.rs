//! A deployment: the served variants of one endpoint configuration, and the distribution of requests among them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::capture::Capture;
use crate::host::Host;
use crate::models::endpoint_config::{DataCaptureConfig, ProductionVariant};
use crate::models::model::ContainerDefinition;
use crate::names::epoch_seconds;
use crate::serving::{Serving, ServingSpec};

/// How long containers may take to become healthy if the configuration doesn't say.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(240);

/// The plan of a deployment, made from an endpoint configuration.
#[derive(Debug, Clone)]
pub struct Plan {
    pub config_name: String,
    pub variants: Vec<VariantPlan>,
    pub capture: Option<DataCaptureConfig>,
}

/// A variant of the plan with its model's containers as they are at the time of planning.
#[derive(Debug, Clone)]
pub struct VariantPlan {
    pub settings: ProductionVariant,
    pub containers: Vec<ContainerDefinition>,
}

/// The properties of a variant that scaling changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    pub weight: f64,
    /// Only reported: one group of processes represents all instances.
    pub instance_count: u32,
}

/// A started configuration. Its processes end when it is dropped, at the latest by the last request that holds it.
pub struct Deployment {
    capture: Option<DataCaptureConfig>,
    variants: Vec<Variant>,
    turns: AtomicU64,
}

/// A served variant.
pub struct Variant {
    pub name: String,
    pub instance_type: String,
    pub serving: Serving,
    pub capture: Option<Capture>,
    capacity: Mutex<Capacity>,
    images: Vec<String>,
    resolved: Timestamp,
}

impl Plan {
    /// Takes over the capacities and, unless they are to be changed, the capture settings of a running deployment.
    pub fn retain(&mut self, from: &Deployment, instance_count: bool, weight: bool, capture: bool) {
        for variant in &mut self.variants {
            let Some(running) = from.variant(&variant.settings.variant_name) else {
                continue;
            };
            let capacity = running.capacity();
            if instance_count {
                variant.settings.initial_instance_count = capacity.instance_count;
            }
            if weight {
                variant.settings.initial_variant_weight = capacity.weight;
            }
        }
        if capture {
            self.capture.clone_from(&from.capture);
        }
    }

    /// Number of instances of all variants together.
    pub fn instance_count(&self) -> u32 {
        self.variants
            .iter()
            .map(|variant| variant.settings.initial_instance_count)
            .sum()
    }
}

impl Deployment {
    /// Starts all variants and waits until they are healthy. After the deployment has ended, the returned handles end
    /// once everything captured is written.
    ///
    /// # Errors
    /// The text for the endpoint's `FailureReason`; everything that was started is ended.
    pub async fn start(host: &Arc<Host>, endpoint: &str, plan: Plan) -> Result<(Self, Vec<JoinHandle<()>>), String> {
        let Plan { variants, capture, .. } = plan;
        // The same configuration may be deployed again while it still serves.
        let id = Uuid::new_v4().simple().to_string();
        let started = variants.into_iter().map(|variant| {
            let dir_name = format!("{endpoint}-{}-{}", variant.settings.variant_name, &id[..8]);
            start_variant(host, endpoint, dir_name, variant)
        });
        let mut variants = try_join_all(started).await?;
        let mut writers = Vec::new();
        if let Some(config) = capture.as_ref().filter(|capture| capture.enable_capture) {
            for variant in &mut variants {
                let (capture, writer) = Capture::start(config.clone(), endpoint, &variant.name, host.s3.clone())?;
                variant.capture = Some(capture);
                writers.push(writer);
            }
        }
        Ok((
            Self {
                capture,
                variants,
                turns: AtomicU64::new(0),
            },
            writers,
        ))
    }

    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// The variant that answers the next request, by weight.
    pub fn next_variant(&self) -> Option<&Variant> {
        if let [only] = self.variants.as_slice() {
            return Some(only);
        }
        let weights: Vec<f64> = self.variants.iter().map(|variant| variant.capacity().weight).collect();
        self.variants.get(weighted(&weights, self.next_turn())?)
    }

    /// Whether the next request belongs to this share. Shares are met closely, without randomness.
    pub fn next_turn_is_within(&self, percent: u8) -> bool {
        self.next_turn() * 100.0 < f64::from(percent)
    }

    /// Completes when all processes have ended, which never happens while the deployment lives.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let all = futures::future::join_all(self.variants.iter().map(|variant| variant.serving.ended()));
        async { drop(all.await) }
    }

    /// `ProductionVariants` for DescribeEndpoint.
    pub fn description(&self) -> Value {
        self.variants.iter().map(Variant::description).collect()
    }

    /// `DataCaptureConfig` for DescribeEndpoint.
    pub fn capture_description(&self) -> Option<Value> {
        let capture = self.capture.as_ref()?;
        Some(json!({
            "EnableCapture": capture.enable_capture,
            "CaptureStatus": if capture.enable_capture { "Started" } else { "Stopped" },
            "CurrentSamplingPercentage": capture.initial_sampling_percentage,
            "DestinationS3Uri": capture.destination_s3_uri,
            // Required in the answer, although nothing is encrypted here.
            "KmsKeyId": "",
        }))
    }

    /// A number in `0..1`; successive calls spread evenly.
    fn next_turn(&self) -> f64 {
        evenly(self.turns.fetch_add(1, Ordering::Relaxed))
    }
}

impl Variant {
    pub fn capacity(&self) -> Capacity {
        *self.lock()
    }

    pub fn set_capacity(&self, capacity: Capacity) {
        *self.lock() = capacity;
    }

    fn lock(&self) -> MutexGuard<'_, Capacity> {
        self.capacity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn description(&self) -> Value {
        let Capacity { weight, instance_count } = self.capacity();
        let images = self.images.iter().map(|image| {
            json!({"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": epoch_seconds(self.resolved)})
        });
        json!({
            "VariantName": self.name,
            "DeployedImages": images.collect::<Vec<_>>(),
            "CurrentWeight": weight,
            "DesiredWeight": weight,
            "CurrentInstanceCount": instance_count,
            "DesiredInstanceCount": instance_count,
        })
    }
}

async fn start_variant(
    host: &Arc<Host>,
    endpoint: &str,
    dir_name: String,
    VariantPlan { settings, containers }: VariantPlan,
) -> Result<Variant, String> {
    let name = settings.variant_name;
    let images = containers.iter().map(|container| container.image.clone()).collect();
    let spec = ServingSpec {
        kind: "endpoints",
        dir_name,
        log_name: format!("{endpoint}-{name}"),
        subject: format!("production variant {name}"),
        containers,
        environment: BTreeMap::new(),
        startup_timeout: settings
            .container_startup_health_check_timeout_in_seconds
            .map_or(STARTUP_TIMEOUT, Duration::from_secs),
    };
    Ok(Variant {
        serving: Serving::start(host, &spec).await?,
        name,
        instance_type: settings.instance_type,
        capture: None,
        capacity: Mutex::new(Capacity {
            weight: settings.initial_variant_weight,
            instance_count: settings.initial_instance_count,
        }),
        images,
        resolved: Timestamp::now(),
    })
}

/// Multiples of the golden ratio, modulo 1, cover `0..1` evenly, however many there are.
fn evenly(turn: u64) -> f64 {
    const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;
    // Beyond 2^53 requests the spread would be coarser, but not wrong.
    #[allow(clippy::cast_precision_loss)]
    let turn = turn as f64;
    (turn * GOLDEN_RATIO).fract()
}

/// The index that `turn` (in `0..1`) falls on when each gets its weight's share; the first if all weights are 0.
fn weighted(weights: &[f64], turn: f64) -> Option<usize> {
    let mut left = turn * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        if left < *weight {
            return Some(index);
        }
        left -= weight;
    }
    (!weights.is_empty()).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_spread_by_weight() {
        let mut counts = [0; 3];
        for turn in 0..1000 {
            counts[weighted(&[1.0, 0.0, 3.0], evenly(turn)).unwrap()] += 1;
        }
        assert!((248..=252).contains(&counts[0]) && counts[1] == 0, "{counts:?}");
        assert_eq!(weighted(&[0.0, 0.0], 0.5), Some(0));
        assert_eq!(weighted(&[], 0.5), None);
    }
}
