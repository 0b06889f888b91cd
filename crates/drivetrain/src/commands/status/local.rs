//! The processes of a local stack.

use crate::local::Instance;
use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use std::path::PathBuf;

/// A local stack.
#[derive(Clone, Debug, Serialize)]
pub struct Local {
    /// Its name.
    pub instance: String,
    /// Its processes; none when it is down.
    pub processes: Vec<Process>,
    /// When something was deployed onto it.
    pub deployed_at: Option<Timestamp>,
}

/// A process.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// Its name.
    pub name: String,
    /// Whether it runs.
    pub alive: bool,
    /// Its number.
    pub pid: u32,
    /// Where it answers.
    pub address: String,
    /// Its log.
    pub log: PathBuf,
}

impl Local {
    /// As it is now.
    ///
    /// # Errors
    /// Its state file can't be read.
    pub fn look(instance: &Instance) -> Result<Self> {
        let state = instance.state()?;
        let processes = state.iter().flat_map(|state| {
            state.processes.iter().map(|process| Process {
                name: process.name.clone(),
                alive: process.identity.is_alive(),
                pid: process.identity.pid,
                address: if process.name == "sagemaker" {
                    state.sagemaker_url()
                } else {
                    state.endpoint()
                },
                log: process.log.clone(),
            })
        });
        Ok(Self {
            instance: instance.name().to_owned(),
            processes: processes.collect(),
            deployed_at: state.as_ref().and_then(|state| state.deployed.as_ref()).map(|it| it.at),
        })
    }
}
