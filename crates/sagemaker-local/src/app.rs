//! Everything an operation can reach, and how it starts and stops.

use std::path::PathBuf;
use std::sync::Arc;

use crate::autoscaling::Autoscaling;
use crate::containers::{Containers, Images, ImagesError};
use crate::endpoints::Endpoints;
use crate::faults::Faults;
use crate::host::Host;
use crate::names::Arns;
use crate::s3::S3;
use crate::settings::Settings;
use crate::store::Store;
use crate::validation::{ModelError, ServiceModels};

/// The running server's state: one per process (or per test).
pub struct App {
    pub(crate) host: Arc<Host>,
    pub(crate) service_models: ServiceModels,
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) endpoints: Endpoints,
    pub(crate) autoscaling: Autoscaling,
}

/// Why the server could not start; the texts say what to do.
#[allow(missing_docs, reason = "the texts of the errors are their documentation")]
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the service models could not be read: {0}")]
    ServiceModel(#[from] ModelError),
    #[error("the images file could not be read: {0}")]
    Images(#[from] ImagesError),
    #[error("the data directory {path} could not be made: {source}")]
    DataDir { path: PathBuf, source: std::io::Error },
    #[error("the reaper of containers' processes (`sh`) could not be started: {0}")]
    Reaper(std::io::Error),
    #[error("could not listen on {address} (is another sagemaker-local running? take another --listen): {source}")]
    Listen {
        address: std::net::SocketAddr,
        source: std::io::Error,
    },
    #[error("serving ended: {0}")]
    Serve(std::io::Error),
}

impl App {
    /// Reads the service models and images files and makes the data directory.
    ///
    /// # Errors
    /// [`StartError`], naming the file or directory that is wrong.
    pub fn start(settings: Settings) -> Result<Arc<Self>, StartError> {
        let data_dir = std::path::absolute(&settings.data_dir).unwrap_or_else(|_| settings.data_dir.clone());
        std::fs::create_dir_all(&data_dir).map_err(|source| StartError::DataDir {
            path: data_dir.clone(),
            source,
        })?;
        let settings = Settings { data_dir, ..settings };
        let service_models = ServiceModels::load(&settings.service_models)?;
        let host = Host {
            arns: Arns {
                region: settings.region.clone(),
                account: settings.account.clone(),
            },
            images: Images::load(&settings.images, &settings.define)?,
            containers: Containers::start().map_err(StartError::Reaper)?,
            s3: S3::new(&settings.s3_endpoint, &settings.region),
            settings,
        };
        Ok(Arc::new(Self {
            service_models,
            host: Arc::new(host),
            store: Store::default(),
            faults: Faults::default(),
            endpoints: Endpoints::default(),
            autoscaling: Autoscaling::default(),
        }))
    }

    /// Ends every container; what they still hold is lost, as when a machine goes away.
    pub async fn shutdown(&self) {
        self.endpoints.shutdown().await;
        self.host.containers.shutdown().await;
    }
}
