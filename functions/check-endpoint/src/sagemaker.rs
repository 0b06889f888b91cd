//! The calls of SageMaker about endpoints: their parameters, and the meaning of their errors. No decisions here.

use crate::rules::Endpoint;
use aws_config::SdkConfig;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_sdk_sagemaker::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sagemaker::types::{EndpointStatus, Tag, VariantProperty, VariantPropertyType};
use contracts::{Champion, names};
use std::collections::BTreeMap;

/// SageMaker's endpoints, and their scaling.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    sagemaker: aws_sdk_sagemaker::Client,
    scaling: aws_sdk_applicationautoscaling::Client,
    stack: String,
}

/// A change that SageMaker will not make, however often it is called: because of a quota, or a configuration that is
/// gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub String);

type Change = Result<Result<(), Refused>, platform::Error>;

impl Endpoints {
    pub fn new(config: &SdkConfig, stack: &str) -> Self {
        Self {
            sagemaker: aws_sdk_sagemaker::Client::new(config),
            scaling: aws_sdk_applicationautoscaling::Client::new(config),
            stack: stack.to_owned(),
        }
    }

    /// An endpoint; `None` when there is none.
    pub async fn describe(&self, name: &str) -> Result<Option<Endpoint>, platform::Error> {
        match self.sagemaker.describe_endpoint().endpoint_name(name).send().await {
            Ok(found) => Ok(Some(Endpoint {
                name: name.to_owned(),
                status: found
                    .endpoint_status()
                    .cloned()
                    .unwrap_or_else(|| EndpointStatus::from("Unknown")),
                config: found.endpoint_config_name().unwrap_or_default().to_owned(),
                variants: found
                    .production_variants()
                    .iter()
                    .filter_map(|variant| variant.variant_name().map(str::to_owned))
                    .collect(),
                failure_reason: found.failure_reason().map(str::to_owned),
            })),
            Err(error) if platform::is_missing_in_sagemaker(&error) => Ok(None),
            Err(error) => Err(platform::Error::aws_call(format!("DescribeEndpoint {name}"), &error)),
        }
    }

    /// The instance type of a configuration; `None` when it has none or does not exist.
    pub async fn instance_type(&self, config: &str) -> Result<Option<String>, platform::Error> {
        let request = self.sagemaker.describe_endpoint_config().endpoint_config_name(config);
        match request.send().await {
            Ok(found) => {
                let variant = found.production_variants().first();
                Ok(variant
                    .and_then(|variant| variant.instance_type())
                    .map(|instance_type| instance_type.as_str().to_owned()))
            }
            Err(error) if platform::is_missing_in_sagemaker(&error) => Ok(None),
            Err(error) => Err(platform::Error::aws_call(
                format!("DescribeEndpointConfig {config}"),
                &error,
            )),
        }
    }

    /// Creates the endpoint of a champion, on its configuration.
    pub async fn create(&self, champion: &Champion) -> Change {
        let run_id = champion.run_id.to_string();
        let tags = [
            (names::TAG_STACK, self.stack.as_str()),
            (names::TAG_USE_CASE, &champion.use_case),
            (names::TAG_MODEL, &champion.model),
            (names::TAG_RUN, &run_id),
        ];
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let name = &champion.endpoint_name;
        let request = self
            .sagemaker
            .create_endpoint()
            .endpoint_name(name)
            .endpoint_config_name(&champion.endpoint_config)
            .set_tags(Some(tags.into()));
        settled(request.send().await, || format!("CreateEndpoint {name}"))
    }

    /// Updates an endpoint to its champion's configuration. The training machine's parameters for capacity and capture
    /// apply here as well.
    pub async fn update(&self, champion: &Champion) -> Change {
        let name = &champion.endpoint_name;
        let capture = VariantProperty::builder().variant_property_type(VariantPropertyType::DataCaptureConfig);
        let request = self
            .sagemaker
            .update_endpoint()
            .endpoint_name(name)
            .endpoint_config_name(&champion.endpoint_config)
            .retain_all_variant_properties(true)
            .exclude_retained_variant_properties(capture.build());
        settled(request.send().await, || format!("UpdateEndpoint {name}"))
    }

    /// Deletes an endpoint; one that does not exist is no error.
    pub async fn delete(&self, name: &str) -> Change {
        match self.sagemaker.delete_endpoint().endpoint_name(name).send().await {
            Err(error) if platform::is_missing_in_sagemaker(&error) => Ok(Ok(())),
            answer => settled(answer, || format!("DeleteEndpoint {name}")),
        }
    }

    /// Removes a variant's scaling, with its policies; a variant without scaling is no error.
    pub async fn deregister(&self, endpoint: &str, variant: &str) -> Result<(), platform::Error> {
        let resource = format!("endpoint/{endpoint}/variant/{variant}");
        let request = self
            .scaling
            .deregister_scalable_target()
            .service_namespace(ServiceNamespace::Sagemaker)
            .scalable_dimension(ScalableDimension::SageMakerVariantDesiredInstanceCount)
            .resource_id(&resource);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ObjectNotFoundException") => Ok(()),
            Err(error) => Err(platform::Error::aws_call(
                format!("DeregisterScalableTarget {resource}"),
                &error,
            )),
        }
    }

    /// The names of all endpoints that may belong to the stack and are not being deleted: those with the stack's
    /// prefix, in its present or its former form.
    pub async fn list(&self) -> Result<Vec<String>, platform::Error> {
        let prefix = format!("{}-", self.stack);
        let request = self.sagemaker.list_endpoints().name_contains(&prefix);
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| platform::Error::aws_call("ListEndpoints", &error))?;
            let staying = page
                .endpoints()
                .iter()
                .filter(|endpoint| endpoint.endpoint_status() != Some(&EndpointStatus::Deleting));
            let names = staying.filter_map(|endpoint| endpoint.endpoint_name());
            found.extend(names.filter(|name| name.starts_with(&prefix)).map(str::to_owned));
        }
        Ok(found)
    }

    /// The use case and model of an endpoint, from its tags; `None` when it belongs to another stack or somebody else,
    /// or does not exist.
    pub async fn owner(&self, name: &str) -> Result<Option<(String, String)>, platform::Error> {
        let call = || format!("ListTags of endpoint {name}");
        let arn = match self.sagemaker.describe_endpoint().endpoint_name(name).send().await {
            Ok(found) => found.endpoint_arn().unwrap_or_default().to_owned(),
            // A stack's role may not even describe resources of other stacks.
            Err(error)
                if platform::is_missing_in_sagemaker(&error) || error.code() == Some("AccessDeniedException") =>
            {
                return Ok(None);
            }
            Err(error) => return Err(platform::Error::aws_call(format!("DescribeEndpoint {name}"), &error)),
        };
        let answer = self.sagemaker.list_tags().resource_arn(arn).send().await;
        let answer = answer.map_err(|error| platform::Error::aws_call(call(), &error))?;
        let tags: BTreeMap<&str, &str> = answer
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?, tag.value()?)))
            .collect();
        let tag = |name| tags.get(name).map(|value| (*value).to_owned());
        Ok(
            match (tag(names::TAG_STACK), tag(names::TAG_USE_CASE), tag(names::TAG_MODEL)) {
                (Some(stack), Some(use_case), Some(model)) if stack == self.stack => Some((use_case, model)),
                _ => None,
            },
        )
    }
}

/// Tells refusals, which would not change if repeated, from failures of the call.
fn settled<T, E, R>(answer: Result<T, SdkError<E, R>>, call: impl Fn() -> String) -> Change
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match answer {
        Ok(_) => Ok(Ok(())),
        Err(error)
            if matches!(
                error.code(),
                Some("ValidationException" | "ResourceLimitExceeded" | "ResourceLimitExceededException")
            ) =>
        {
            Ok(Err(Refused(platform::Error::aws_call(call(), &error).to_string())))
        }
        Err(error) => Err(platform::Error::aws_call(call(), &error)),
    }
}
