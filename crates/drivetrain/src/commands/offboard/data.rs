//! What a use case leaves behind: files in all their versions, models and endpoint configurations in SageMaker.

use crate::target::{Platform, Target, describe, is_missing};
use anyhow::{Result, bail};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use contracts::names::{self, Step};
use contracts::places;
use contracts::{Champion, RunId, UseCase};
use std::collections::BTreeSet;

/// The SageMaker models and endpoint configurations of a use case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Resources {
    /// Names of the models (inference pipelines).
    pub models: Vec<String>,
    /// Names of the endpoint configurations.
    pub configs: Vec<String>,
}

impl Resources {
    /// Finds what the runs and champions in the bucket have made. The names contain hashes, so they are computed again
    /// for every run and model and looked up among all those of the stack: nothing that another use case made is ever
    /// among them.
    ///
    /// # Errors
    /// The bucket or SageMaker can't be read.
    pub async fn find(target: &Target, platform: &Platform, use_case: &str) -> Result<Self> {
        let mut runs = BTreeSet::new();
        let mut models = BTreeSet::new();
        let root = format!("{use_case}/runs/");
        for key in target.keys(&platform.bucket, &root).await? {
            let Some((run, rest)) = key.strip_prefix(&root).and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            runs.extend(RunId::parse(run));
            let decided = rest.strip_prefix("decisions/").and_then(|it| it.strip_suffix(".json"));
            models.extend(decided.map(str::to_owned));
            let trained = rest.strip_prefix("models/").and_then(|it| it.split('/').next());
            models.extend(trained.map(str::to_owned));
        }
        let mut own = [BTreeSet::new(), BTreeSet::new()];
        let root = format!("{}{use_case}/models/", places::use_case::ALL);
        for key in target.keys(&platform.bucket, &root).await? {
            let Some((model, rest)) = key.strip_prefix(&root).and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            models.insert(model.to_owned());
            if rest == "champion.json" || rest.starts_with("history/") {
                // A champion document that cannot be read is no obstacle: the run's id gives the names as well.
                let champion = target.document::<Champion>(platform, &key).await.ok().flatten();
                if let Some(champion) = champion.filter(|champion| champion.use_case == use_case) {
                    own[0].insert(champion.model_name);
                    own[1].insert(champion.endpoint_config);
                }
            }
        }
        let config = places::use_case::config(use_case);
        let document = target.document::<UseCase>(platform, &config).await.ok().flatten();
        models.extend(document.into_iter().flat_map(|it| it.models).map(|model| model.name));
        let of = |step| {
            let name = move |run: &RunId, model: &String| names::model_step(&target.stack, use_case, model, run, step);
            let names = runs
                .iter()
                .flat_map(|run| models.iter().map(move |model| name(run, model)));
            names.collect::<BTreeSet<String>>()
        };
        let of_runs = [of(Step::Model), of(Step::Config)];
        let is_own = |which: usize, name: &String| {
            own[which].contains(name) || of_runs[which].contains(names::without_retry(name))
        };
        Ok(Self {
            models: model_names(target)
                .await?
                .into_iter()
                .filter(|it| is_own(0, it))
                .collect(),
            configs: config_names(target)
                .await?
                .into_iter()
                .filter(|it| is_own(1, it))
                .collect(),
        })
    }

    /// Deletes them; one that no longer exists is no error.
    ///
    /// # Errors
    /// SageMaker refuses.
    pub async fn delete(&self, target: &Target) -> Result<()> {
        let sagemaker = target.sagemaker();
        for name in &self.configs {
            let gone = sagemaker
                .delete_endpoint_config()
                .endpoint_config_name(name)
                .send()
                .await;
            if let Err(error) = gone.map(drop).or_else(unless_gone) {
                return Err(describe(&format!("DeleteEndpointConfig {name}"), error));
            }
        }
        for name in &self.models {
            let gone = sagemaker.delete_model().model_name(name).send().await;
            if let Err(error) = gone.map(drop).or_else(unless_gone) {
                return Err(describe(&format!("DeleteModel {name}"), error));
            }
        }
        Ok(())
    }
}

fn unless_gone<E: ProvideErrorMetadata>(error: E) -> Result<(), E> {
    if is_missing(&error) { Ok(()) } else { Err(error) }
}

/// The models whose names have the stack's prefix, in its present or its former form.
async fn model_names(target: &Target) -> Result<Vec<String>> {
    let prefix = format!("{}-", target.stack);
    let request = target.sagemaker().list_models().name_contains(&prefix).max_results(100);
    let mut pages = request.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListModels", error))?;
        let names = page.models().iter().filter_map(|it| it.model_name());
        found.extend(names.filter(|name| name.starts_with(&prefix)).map(str::to_owned));
    }
    Ok(found)
}

/// The endpoint configurations whose names have the stack's prefix, in its present or its former form.
async fn config_names(target: &Target) -> Result<Vec<String>> {
    let prefix = format!("{}-", target.stack);
    let request = target.sagemaker().list_endpoint_configs().name_contains(&prefix);
    let mut pages = request.max_results(100).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListEndpointConfigs", error))?;
        let names = page
            .endpoint_configs()
            .iter()
            .filter_map(|it| it.endpoint_config_name());
        found.extend(names.filter(|name| name.starts_with(&prefix)).map(str::to_owned));
    }
    Ok(found)
}

/// Deletes every version of the objects below `prefix`; returns how many there were.
pub(super) async fn delete_all(target: &Target, bucket: &str, prefix: &str) -> Result<usize> {
    let s3 = target.s3();
    let mut deleted = 0;
    loop {
        let listed = s3.list_object_versions().bucket(bucket).prefix(prefix).send().await;
        let listed = listed.map_err(|error| describe("ListObjectVersions", error))?;
        let versions = listed.versions().iter().map(|it| (it.key(), it.version_id()));
        let markers = listed.delete_markers().iter().map(|it| (it.key(), it.version_id()));
        let mut objects = Vec::new();
        for (key, version) in versions.chain(markers) {
            let object = ObjectIdentifier::builder().set_version_id(version.map(str::to_owned));
            objects.push(object.key(key.unwrap_or_default()).build()?);
        }
        if objects.is_empty() {
            return Ok(deleted);
        }
        let found = objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build()?;
        let answer = s3.delete_objects().bucket(bucket).delete(delete).send().await;
        let answer = answer.map_err(|error| describe("DeleteObjects", error))?;
        if let Some(error) = answer.errors().first() {
            bail!(
                "{} could not be deleted: {}",
                error.key().unwrap_or_default(),
                error.message().unwrap_or_default()
            );
        }
        deleted += found;
    }
}
