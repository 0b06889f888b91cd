//! Checks the analyzer's image, the one part of a deployment that AWS does not provide.

use super::check::Check;
use crate::target::{Target, describe};
use anyhow::Result;
use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
use aws_sdk_ecr::types::ImageIdentifier;

/// An image in a registry of Amazon ECR.
#[derive(Debug, PartialEq, Eq)]
struct Image<'a> {
    account: &'a str,
    region: &'a str,
    repository: &'a str,
    reference: Reference<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Reference<'a> {
    Tag(&'a str),
    Digest(&'a str),
}

/// Checks whether the image that start-run names can be pulled.
pub async fn check(target: &Target) -> Result<Check> {
    let function = format!("{}-start-run", target.stack);
    let request = target.lambda().get_function_configuration().function_name(&function);
    let answer = request.send().await;
    let answer = answer.map_err(|error| describe(&format!("GetFunctionConfiguration {function}"), error))?;
    let variables = answer.environment().and_then(|environment| environment.variables());
    let uri = variables.and_then(|all| all.get("MONITOR_IMAGE")).map(String::as_str);
    let Some(uri) = uri else {
        return Ok(Check::missing(
            "image",
            format!("{function} names no image of the analyzer"),
            "deploy template.yaml as it is",
        ));
    };
    let Some(image) = parse(uri) else {
        return Ok(Check::warning(
            "image",
            format!("{uri} is not in an AWS registry: whether it exists can't be checked"),
            "SageMaker pulls only from Amazon ECR, unless a VPC leads to the registry",
        ));
    };
    let id = match image.reference {
        Reference::Tag(tag) => ImageIdentifier::builder().image_tag(tag),
        Reference::Digest(digest) => ImageIdentifier::builder().image_digest(digest),
    };
    let request = target.ecr().describe_images().registry_id(image.account);
    let request = request.repository_name(image.repository).image_ids(id.build());
    let absent =
        |error: &DescribeImagesError| error.is_image_not_found_exception() || error.is_repository_not_found_exception();
    match request.send().await {
        Ok(_) if image.region != target.region() => Ok(Check::warning(
            "image",
            format!("{uri} is in region {}, not in the stack's", image.region),
            "push it to the stack's region: infra/images/README.md",
        )),
        Ok(_) => Ok(Check::ok("image", uri)),
        Err(error) if error.as_service_error().is_some_and(absent) => Ok(Check::missing(
            "image",
            format!("{uri} is not there: no training run can make baselines"),
            "build and push it, as infra/images/README.md in the repository says",
        )),
        Err(error) => Err(describe("DescribeImages", error)),
    }
}

/// The parts of `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`, or `@<digest>`.
fn parse(uri: &str) -> Option<Image<'_>> {
    let (host, path) = uri.split_once('/')?;
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let (region, _) = rest.split_once('.')?;
    let (repository, reference) = match (path.split_once('@'), path.split_once(':')) {
        (Some((repository, digest)), _) => (repository.split(':').next()?, Reference::Digest(digest)),
        (None, Some((repository, tag))) => (repository, Reference::Tag(tag)),
        (None, None) => (path, Reference::Tag("latest")),
    };
    Some(Image {
        account,
        region,
        repository,
        reference,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::check::Level;
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    #[test]
    fn the_parts_of_an_images_address_are_found() {
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let of = |path: &str| {
            let uri = format!("{host}/{path}");
            let image = parse(&uri).unwrap();
            format!(
                "{} {} {} {:?}",
                image.account, image.region, image.repository, image.reference
            )
        };
        assert_eq!(of("team/monitor:1"), "123456789012 eu-west-1 team/monitor Tag(\"1\")");
        assert_eq!(of("monitor"), "123456789012 eu-west-1 monitor Tag(\"latest\")");
        assert_eq!(
            of("monitor:1@sha256:ab"),
            "123456789012 eu-west-1 monitor Digest(\"sha256:ab\")"
        );
        assert_eq!(parse("docker.io/library/monitor:1"), None);
    }

    #[tokio::test]
    async fn an_image_that_nobody_has_pushed_is_missing() {
        let aws = FakeAws::new();
        let uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/drivetrain-monitor:latest";
        let configuration = json!({"Environment": {"Variables": {"MONITOR_IMAGE": uri}}});
        aws.reply("GetFunctionConfiguration", [Reply::json(200, configuration)]);
        aws.reply(
            "DescribeImages",
            [
                Reply::error(400, "RepositoryNotFoundException", "no such repository"),
                Reply::json(200, json!({"imageDetails": []})),
            ],
        );
        let target = Target::with_config("dev", aws.sdk_config());
        assert_eq!(check(&target).await.unwrap().level, Level::Missing);
        assert_eq!(check(&target).await.unwrap(), Check::ok("image", uri));
    }
}
