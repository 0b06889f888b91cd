//! The profile of the AWS configuration: whether the one that is meant exists, and its credentials.

use anyhow::{Context, Result, bail};
use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;

/// The environment variable that names a profile.
const VARIABLE: &str = "AWS_PROFILE";
/// The configuration's files: the variable that names each, and where it is otherwise.
const FILES: [(&str, &str); 2] = [
    ("AWS_CONFIG_FILE", "~/.aws/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
];

/// Checks that the profile that was asked for exists: the SDK would go on without it, with other credentials.
///
/// # Errors
/// It doesn't, or the configuration can't be read: the text names the files.
pub async fn check(asked: Option<&str>) -> Result<()> {
    let files = FILES.map(|(variable, usual)| std::env::var(variable).unwrap_or_else(|_| usual.to_owned()));
    let files = files.join(", ");
    let (fs, env, sources) = Default::default();
    let known = aws_config::profile::load(&fs, &env, &sources, None).await;
    let known = known.with_context(|| format!("the AWS configuration can't be read ({files})"))?;
    match (asked, std::env::var(VARIABLE)) {
        (Some(name), _) => exists(&known, name, "", &files),
        (None, Ok(name)) => exists(&known, &name, &format!(" of {VARIABLE}"), &files),
        (None, Err(_)) => Ok(()),
    }
}

fn exists(known: &ProfileSet, name: &str, of: &str, files: &str) -> Result<()> {
    if known.get_profile(name).is_some() {
        return Ok(());
    }
    let mut names: Vec<&str> = known.profiles().collect();
    names.sort_unstable();
    if names.is_empty() {
        bail!("profile `{name}`{of} isn't in the AWS configuration ({files}): it has no profiles");
    }
    bail!(
        "profile `{name}`{of} isn't in the AWS configuration ({files}); these are: {}",
        names.join(", ")
    )
}

/// The credentials of a profile that was asked for by `--profile`: as with the AWS CLI, keys in the environment are left
/// aside then. A profile without credentials of its own, which may name only a region, takes those of the machine.
pub fn credentials(name: &str, region: Option<Region>) -> CredentialsProviderChain {
    let config = ProviderConfig::without_region().with_region(region);
    let profile = ProfileFileCredentialsProvider::builder()
        .configure(&config)
        .profile_name(name);
    let container = EcsCredentialsProvider::builder().configure(&config);
    let machine = ImdsCredentialsProvider::builder().configure(&config);
    CredentialsProviderChain::first_try("Profile", profile.build())
        .or_else("EcsContainer", container.build())
        .or_else("Ec2InstanceMetadata", machine.build())
}
