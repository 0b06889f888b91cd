//! The functions, called as Lambda calls them: with a document, and answering a document or an error's name and text.

use super::names::{BUCKET, POLL_SECONDS, STACK, TOPIC, machine_arn};
use crate::asl::Failure;
use fake_aws::FakeAws;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The functions' names, without the stack's prefix.
pub const NAMES: [&str; 9] = [
    "check-endpoint",
    "consolidate-captures",
    "evaluate-drift",
    "export-config",
    "notify-run",
    "query-metrics",
    "refresh-dashboard",
    "rmse-gate",
    "start-run",
];

/// One instance of each function, always warm.
pub struct Functions {
    check_endpoint: check_endpoint::CheckEndpoint,
    consolidate_captures: consolidate_captures::ConsolidateCaptures,
    evaluate_drift: evaluate_drift::EvaluateDrift,
    export_config: export_config::ExportConfig,
    pub invoke_endpoints: invoke_endpoints::Function,
    notify_run: notify_run::NotifyRun,
    query_metrics: query_metrics::QueryMetrics,
    refresh_dashboard: refresh_dashboard::RefreshDashboard,
    rmse_gate: rmse_gate::RmseGate,
    start_run: start_run::StartRun,
}

pub const XGBOOST: &str = "xgboost:3.0-5";
pub const LINEAR_LEARNER: &str = "linear-learner:1";

/// The settings of start-run.
pub fn settings() -> start_run::Settings {
    start_run::Settings {
        stack: STACK.to_owned(),
        bucket: BUCKET.to_owned(),
        topic_arn: TOPIC.to_owned(),
        training_state_machine_arn: machine_arn("training"),
        scoring_state_machine_arn: machine_arn("scoring"),
        monitor_state_machine_arn: machine_arn("monitor"),
        endpoint_poll_seconds: POLL_SECONDS,
        images: start_run::Images {
            xgboost: XGBOOST.to_owned(),
            linear_learner: LINEAR_LEARNER.to_owned(),
            sklearn: "sklearn:1.2-1".to_owned(),
            monitor: "drivetrain-monitor:latest".to_owned(),
        },
    }
}

impl Functions {
    pub fn new(aws: &FakeAws) -> Self {
        let config = &aws.sdk_config();
        let limits = invoke_endpoints::Limits {
            // The cache uses the machine's own clock, on which no virtual time passes: it is turned off.
            fresh: std::time::Duration::ZERO,
            ..invoke_endpoints::Limits::default()
        };
        Self {
            check_endpoint: check_endpoint::CheckEndpoint::new(config, BUCKET, STACK, TOPIC),
            consolidate_captures: consolidate_captures::ConsolidateCaptures::new(config, BUCKET, 2_147_483_648),
            evaluate_drift: evaluate_drift::EvaluateDrift::new(config, STACK, BUCKET, TOPIC),
            export_config: export_config::ExportConfig::new(config, BUCKET, STACK),
            invoke_endpoints: invoke_endpoints::Function::new(config, STACK.to_owned(), BUCKET.to_owned(), limits),
            notify_run: notify_run::NotifyRun::new(config, STACK, BUCKET, TOPIC),
            query_metrics: query_metrics::QueryMetrics::new(config),
            refresh_dashboard: refresh_dashboard::RefreshDashboard::new(config, STACK, BUCKET),
            rmse_gate: rmse_gate::RmseGate::new(config, STACK, BUCKET, TOPIC),
            start_run: start_run::StartRun::new(config, settings()),
        }
    }

    /// Calls a function by its name.
    pub fn call<'a>(
        &'a self,
        name: &'a str,
        event: Value,
        now: Timestamp,
    ) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        async move {
            match name {
                "check-endpoint" => answer(self.check_endpoint.handle(request(event)?, now).await),
                "consolidate-captures" => answer(self.consolidate_captures.handle(request(event)?).await),
                "evaluate-drift" => answer(self.evaluate_drift.handle(request(event)?, now).await),
                "export-config" => answer(self.export_config.handle(request(event)?, now).await),
                "notify-run" => answer(self.notify_run.handle(event, now).await),
                "query-metrics" => answer(self.query_metrics.handle(request(event)?).await),
                "refresh-dashboard" => answer(self.refresh_dashboard.handle(request(event)?, now).await),
                "rmse-gate" => answer(self.rmse_gate.handle(request(event)?, now).await),
                "start-run" => answer(self.start_run.handle(event, now).await),
                other => Err(Failure::new(
                    "Interpreter.Unsupported",
                    format!("there is no function {other}"),
                )),
            }
        }
        .boxed_local()
    }
}

fn request<T: DeserializeOwned>(event: Value) -> Result<T, Failure> {
    serde_json::from_value(event).map_err(|error| Failure::new("Runtime.Unreadable", error.to_string()))
}

fn answer<T: Serialize, E: Into<platform::Diagnostic>>(answer: Result<T, E>) -> Result<Value, Failure> {
    match answer {
        Ok(answer) => Ok(serde_json::to_value(answer).unwrap()),
        Err(error) => {
            let diagnostic: platform::Diagnostic = error.into();
            let cause = json!({"errorMessage": diagnostic.error_message, "errorType": diagnostic.error_type});
            Err(Failure::new(&diagnostic.error_type, cause.to_string()))
        }
    }
}
