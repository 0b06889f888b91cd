//! `onboard`: a use-case document, checked and stored, and its recipients subscribed.

use crate::aws::{Platform, Target, Whom, describe};
use crate::layout::Layout;
use crate::{subscriptions, ui, use_case_file};
use anyhow::{Result, bail};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::ParameterType;
use clap::Args;
use contracts::{ConfigPointer, UseCase, places};
use std::path::{Path, PathBuf};

/// Check a use-case document and store it: locally when the local stack is up, else on AWS.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask onboard models/used-car-price.yaml\n  \
    cargo xtask onboard --check models/used-car-price.yaml      only check it\n  \
    AWS_PROFILE=prod cargo xtask onboard --on aws --stack cars models/used-car-price.yaml")]
pub struct Onboard {
    /// The document, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only check the document
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    whom: Whom,
}

impl Onboard {
    /// Checks and stores the document.
    ///
    /// # Errors
    /// The document is unsound (every mistake is printed with its line), or the stack can't be reached.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let document = check(&self.file)?;
        if self.check {
            ui::say(&format!("{} is sound", self.file.display()));
            return Ok(());
        }
        let target = self.whom.target(layout).await?;
        let platform = target.platform().await?;
        for line in store(&target, &platform, &document).await? {
            ui::say(&line);
        }
        ui::say(&format!(
            "drop a file: s3://{}/{}/training/incoming/",
            platform.bucket, document.use_case
        ));
        Ok(())
    }
}

/// Reads a document.
///
/// # Errors
/// It is unsound; the text holds a line for each mistake.
pub fn check(file: &Path) -> Result<UseCase> {
    match use_case_file::read(file) {
        Ok(document) => Ok(document),
        Err(complaints) => {
            let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
            bail!(
                "the use-case document has {}:\n{}",
                count(lines.len(), "mistake"),
                lines.join("\n")
            )
        }
    }
}

/// Stores a document and its pointer and brings subscriptions in line; gives what was done, a line each.
///
/// # Errors
/// A call fails.
pub async fn store(target: &Target, platform: &Platform, document: &UseCase) -> Result<Vec<String>> {
    let use_case = &document.use_case;
    let key = places::use_case::config(use_case);
    let bytes = serde_json::to_vec_pretty(document)?;
    let name = places::parameters::config(&target.stack, use_case);
    let sha256 = contracts::pointer::sha256(&bytes);
    let mut done = Vec::new();
    if stored(target, &name)
        .await?
        .is_some_and(|pointer| pointer.sha256 == sha256)
    {
        done.push(format!("`{use_case}` is stored as it is"));
    } else {
        let body = ByteStream::from(bytes);
        let version_id = target.put(&platform.bucket, &key, "application/json", body).await?;
        let pointer = ConfigPointer {
            uri: places::uri(&platform.bucket, &key),
            version_id,
            sha256,
        };
        let put = target
            .ssm()
            .put_parameter()
            .name(&name)
            .r#type(ParameterType::String)
            .overwrite(true);
        let put = put.value(serde_json::to_string(&pointer)?).send().await;
        put.map_err(|error| describe("PutParameter", error))?;
        done.push(format!(
            "`{use_case}` is stored: {} version {}, parameter {name}",
            pointer.uri, pointer.version_id
        ));
    }
    let recipients = &document.recipients;
    done.extend(subscriptions::bring_in_line(target, platform, use_case, recipients).await?);
    Ok(done)
}

async fn stored(target: &Target, name: &str) -> Result<Option<ConfigPointer>> {
    match target.ssm().get_parameter().name(name).send().await {
        Ok(answer) => {
            let value = answer
                .parameter()
                .and_then(|parameter| parameter.value())
                .unwrap_or_default();
            // A pointer that can't be read is replaced.
            Ok(serde_json::from_str(value).ok())
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetParameterError::is_parameter_not_found) =>
        {
            Ok(None)
        }
        Err(error) => Err(describe("GetParameter", error)),
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
