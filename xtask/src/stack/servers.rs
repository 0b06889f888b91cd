//! How the two servers are started, and how to find out whether they are ready.

use crate::cargo::Binaries;
use crate::environments::Environment;
use crate::layout::Layout;
use anyhow::Result;
use drivetrain::local::{ACCOUNT, PROCESSES, REGION, State};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A server to start.
#[derive(Debug)]
pub struct Server {
    /// Its name in `status` and `logs`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its program, arguments and environment.
    pub command: Command,
    /// The URL that answers once it is ready.
    pub health_url: String,
    /// How long it may take to become ready.
    pub patience: Duration,
}

/// sagemaker-local, from this build.
///
/// # Errors
/// The build or an environment is incomplete.
pub fn sagemaker(layout: &Layout, state: &State, binaries: &Binaries) -> Result<Server> {
    let mut command = Command::new(&binaries.get("sagemaker-local")?.path);
    let python = Environment::Ml.program(layout, "python");
    let monitor = &binaries.get("drivetrain-monitor")?.path;
    let combine = &binaries.get("drivetrain-combine")?.path;
    command
        .arg("--listen")
        .arg(format!("127.0.0.1:{}", state.sagemaker_port))
        .arg("--data-dir")
        .arg(state.folder.join("sagemaker"))
        .args([
            "--s3-endpoint",
            &state.endpoint(),
            "--region",
            REGION,
            "--account",
            ACCOUNT,
        ])
        .arg("--service-models")
        .arg(Environment::Tools.packages(layout)?.join("botocore/data"))
        .arg("--define")
        .arg(format!("python={}", python.display()))
        .arg("--define")
        .arg(format!("monitor={}", monitor.display()))
        .arg("--define")
        .arg(format!("combine={}", combine.display()));
    let [health_url, _] = health_urls(state);
    let own = layout.path("local/containers/images.yaml");
    for images in std::iter::once(&own).chain(&state.images) {
        command.arg("--images").arg(images);
    }
    Ok(Server {
        name: "sagemaker",
        title: "sagemaker-local",
        command,
        health_url,
        patience: Duration::from_secs(60),
    })
}

/// LocalStack with the project's plugin; `local/localstack/README.md` explains each variable.
pub fn localstack(layout: &Layout, state: &State) -> Server {
    let mut command = Command::new(Environment::Localstack.program(layout, "python"));
    command
        .args(["-m", "localstack.runtime.main"])
        .env("GATEWAY_LISTEN", format!("127.0.0.1:{}", state.localstack_port))
        .env("LAMBDA_RUNTIME_EXECUTOR", "process")
        .env("LAMBDA_RETRY_BASE_DELAY", "1")
        .env("SAGEMAKER_LOCAL_URL", state.sagemaker_url())
        .env("DRIVETRAIN_INBOX", state.inbox())
        .env("LOCALSTACK_VOLUME_DIR", state.folder.join("volume"))
        .env("TMPDIR", scratch(state))
        .env("XDG_CACHE_HOME", state.folder.join("cache"))
        .env("CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES", "0")
        .env("DISABLE_EVENTS", "1")
        .env("SKIP_SSL_CERT_DOWNLOAD", "1")
        .env("DNS_ADDRESS", "0")
        // The user's own settings for real AWS must not reach the local one.
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_ENDPOINT_URL");
    let spark = Environment::Spark.program(layout, "python");
    if spark.exists() {
        command.env("SPARK_PYTHON", spark);
    }
    let [_, health_url] = health_urls(state);
    Server {
        name: "localstack",
        title: "LocalStack",
        command,
        health_url,
        patience: Duration::from_secs(120),
    }
}

/// The URLs that answer once sagemaker-local and LocalStack are ready.
pub fn health_urls(state: &State) -> [String; PROCESSES] {
    [
        format!("{}/_local/health", state.sagemaker_url()),
        format!("{}/_localstack/health", state.endpoint()),
    ]
}

/// The folder for unpacked functions and temporary files.
pub fn scratch(state: &State) -> PathBuf {
    state.folder.join("tmp")
}
