//! The stack's endpoints, all of them.

use super::use_cases::UseCaseStatus;
use crate::target::{Target, describe};
use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// As SageMaker says it: `InService`, `Updating`, …; `missing` where a champion names it and it is gone.
    pub status: String,
    /// Whose champion names it; none of one that nobody reads.
    pub model: Option<String>,
    /// When it was changed last.
    pub changed_at: Option<Timestamp>,
}

/// Every endpoint whose name begins as the stack's do, in the order of their names.
///
/// # Errors
/// SageMaker refuses.
pub async fn all(target: &Target) -> Result<Vec<Endpoint>> {
    let prefix = format!("{}-", target.stack);
    let mut pages = target
        .sagemaker()
        .list_endpoints()
        .max_results(100)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListEndpoints", error))?;
        for endpoint in page.endpoints() {
            let name = endpoint.endpoint_name().unwrap_or_default();
            if name.starts_with(&prefix) {
                found.push(Endpoint {
                    name: name.to_owned(),
                    status: endpoint
                        .endpoint_status()
                        .map(|it| it.as_str().to_owned())
                        .unwrap_or_default(),
                    model: None,
                    changed_at: endpoint
                        .last_modified_time()
                        .and_then(|time| Timestamp::from_second(time.secs()).ok()),
                });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// What is shown of an endpoint that a champion names and that there is not.
const MISSING: &str = "missing";

/// Adds the endpoints that champions name and that are gone.
pub fn add_missing(endpoints: &mut Vec<Endpoint>, use_cases: &[UseCaseStatus]) {
    let named = use_cases.iter().flat_map(UseCaseStatus::endpoints);
    let gone: Vec<&str> = named
        .filter(|name| endpoints.iter().all(|endpoint| endpoint.name != **name))
        .collect();
    endpoints.extend(gone.into_iter().map(|name| Endpoint {
        name: name.to_owned(),
        status: MISSING.to_owned(),
        model: None,
        changed_at: None,
    }));
    endpoints.sort_by(|one, other| one.name.cmp(&other.name));
}

impl Endpoint {
    /// Whether a champion names it and it is gone.
    pub fn is_missing(&self) -> bool {
        self.status == MISSING
    }
}

/// Says of each whose champion it serves.
pub fn name(endpoints: &mut [Endpoint], use_cases: &[UseCaseStatus]) {
    for endpoint in endpoints {
        endpoint.model = use_cases.iter().find_map(|of| {
            let model = of
                .models
                .iter()
                .find(|model| model.endpoint.as_ref() == Some(&endpoint.name));
            model.map(|model| format!("{} {}", of.use_case, model.model))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::use_cases::ModelStatus;
    use super::*;
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    #[test]
    fn an_endpoint_that_is_gone_is_shown_as_missing() {
        let use_case = UseCaseStatus {
            use_case: "cars".to_owned(),
            onboarded: true,
            models: vec![ModelStatus {
                model: "m".to_owned(),
                champion: None,
                since: None,
                other_columns: None,
                endpoint: Some("dev--cars-m".to_owned()),
                decision: None,
                held: Vec::new(),
                monitoring: None,
            }],
            refused: Vec::new(),
            runs: std::collections::BTreeSet::new(),
        };
        let mut endpoints = Vec::new();
        add_missing(&mut endpoints, std::slice::from_ref(&use_case));
        name(&mut endpoints, std::slice::from_ref(&use_case));
        let found = &endpoints[0];
        assert_eq!((found.name.as_str(), found.is_missing()), ("dev--cars-m", true));
        assert_eq!(found.model.as_deref(), Some("cars m"));
        // It is shown once.
        add_missing(&mut endpoints, &[use_case]);
        assert_eq!(endpoints.len(), 1);
    }

    #[tokio::test]
    async fn every_page_is_read_and_other_stacks_are_left_out() {
        let aws = FakeAws::new();
        let one = |name: &str| {
            json!({"EndpointName": name, "EndpointArn": "a", "EndpointStatus": "InService",
                                      "CreationTime": 1_795_372_200, "LastModifiedTime": 1_795_372_200})
        };
        let page = |names: &[&str]| names.iter().map(|name| one(name)).collect::<Vec<_>>();
        aws.reply(
            "ListEndpoints",
            [
                Reply::json(
                    200,
                    json!({"Endpoints": page(&["dev--b", "prod--a"]), "NextToken": "more"}),
                ),
                Reply::json(200, json!({"Endpoints": page(&["dev--a"])})),
            ],
        );
        let found = all(&Target::with_config("dev", aws.sdk_config())).await.unwrap();
        let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["dev--a", "dev--b"]);
        assert_eq!(found[0].status, "InService");
    }
}
