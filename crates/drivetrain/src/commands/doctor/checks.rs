//! The checks, ordered so that each comes after those it depends on.

use super::check::{Check, Level};
use super::image;
use crate::commands::{dead_letters, endpoints};
use crate::subscriptions::{self, Subscription};
use crate::target::{Platform, Target};
use crate::{Context, onboarding};
use anyhow::Result;
use contracts::{Champion, places, words};

/// Runs all checks that are possible.
pub async fn all(context: &Context, checks: &mut Vec<Check>, at: &dyn Fn(&str)) {
    at("access");
    let target = match context.target().await {
        Ok(target) => target,
        Err(error) => {
            let of = if context.is_local() { "local stack" } else { "access" };
            checks.push(Check::missing(
                of,
                format!("{error:#}"),
                "do as it says, then run `doctor` again",
            ));
            return;
        }
    };
    checks.push(access(&target).await);
    if checks.iter().any(|check| check.level == Level::Missing) {
        return;
    }
    at("stack");
    let platform = match target.platform().await {
        Ok(platform) => platform,
        Err(error) => {
            checks.push(Check::missing(
                "stack",
                format!("{error:#}"),
                how_to_deploy(context.is_local()),
            ));
            if !context.is_local() {
                checks.extend(tools());
            }
            return;
        }
    };
    checks.push(Check::ok(
        "stack",
        format!("{}, bucket {}", target.title(), platform.bucket),
    ));
    if target.local.is_none() {
        at("image");
        checks.push(
            image::check(&target)
                .await
                .unwrap_or_else(|error| Check::unchecked("image", &error)),
        );
    }
    at("use cases");
    let names = onboarding::onboarded(&target, &platform).await;
    match &names {
        Ok(names) if names.is_empty() => checks.push(Check::missing(
            "use cases",
            "none is onboarded",
            format!(
                "`{}`; the repository's models/ has examples",
                target.command("onboard DOCUMENT")
            ),
        )),
        Ok(names) => checks.push(Check::ok("use cases", names.join(", "))),
        Err(error) => checks.push(Check::unchecked("use cases", error)),
    }
    at("subscriptions");
    let all = subscriptions::all(&target, &platform).await;
    checks.push(all.map_or_else(|error| Check::unchecked("mails", &error), |all| mails(&target, &all)));
    at("dead letters");
    let count = dead_letters::count(&target, &platform).await;
    checks.push(count.map_or_else(
        |error| Check::unchecked("dead letters", &error),
        |counts| letters(&target, counts.free + counts.held),
    ));
    at("endpoints");
    match endpoints_of(&target, &platform, &names.unwrap_or_default()).await {
        Ok(found) => checks.extend(found),
        Err(error) => checks.push(Check::unchecked("endpoints", &error)),
    }
}

async fn access(target: &Target) -> Check {
    if target.local.is_some() {
        return Check::ok("local stack", target.title());
    }
    match target.caller().await {
        Ok((account, who)) => Check::ok(
            "access",
            format!("account {account} as {who}, region {}", target.region()),
        ),
        Err(error) => Check::missing("access", format!("{error:#}"), "do as it says, then run `doctor` again"),
    }
}

fn how_to_deploy(local: bool) -> &'static str {
    if local {
        "do as it says, then run `doctor` again"
    } else {
        "check `--stack`, `--profile` and `--region`; to deploy it: `sam build && sam deploy --guided` in the repository"
    }
}

/// The programs that a deployment needs.
fn tools() -> Vec<Check> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let programs = [
        ("sam", "`pip install aws-sam-cli`"),
        ("cargo-lambda", "`pip install cargo-lambda`"),
        (
            "docker",
            "install Docker with BuildKit: the analyzer's image is built with it",
        ),
    ];
    programs
        .into_iter()
        .map(|(name, to_do)| {
            if has(name) {
                Check::ok("to deploy", name)
            } else {
                Check::warning("to deploy", format!("{name} is not on the PATH"), to_do)
            }
        })
        .collect()
}

fn mails(target: &Target, all: &[Subscription]) -> Check {
    let waiting: Vec<&str> = all
        .iter()
        .filter(|it| it.arn.is_none())
        .map(|it| it.email.as_str())
        .collect();
    match (all.len(), waiting.as_slice()) {
        (0, _) => Check::warning(
            "mails",
            "nobody is subscribed: notices reach nobody",
            "name `recipients` in a use case's document and onboard it, or deploy with NotificationEmail",
        ),
        (all, []) => Check::ok("mails", words::counted(all as u64, "subscriber", "subscribers")),
        (_, waiting) => Check::warning(
            "mails",
            format!("not confirmed yet: {}", waiting.join(", ")),
            format!(
                "they confirm by the link in AWS's mail; after three days `{}` subscribes them again",
                target.command("onboard DOCUMENT")
            ),
        ),
    }
}

fn letters(target: &Target, count: u64) -> Check {
    match count {
        0 => Check::ok("dead letters", "none"),
        count => Check::warning(
            "dead letters",
            words::counted(
                count,
                "event or call has failed for good",
                "events or calls have failed for good",
            ),
            format!("`{}` lists them; `redrive` calls again", target.command("dead-letters")),
        ),
    }
}

/// One line for each endpoint that is not as it should be, or a single line when all are.
async fn endpoints_of(target: &Target, platform: &Platform, use_cases: &[String]) -> Result<Vec<Check>> {
    let present = endpoints::all(target).await?;
    let mut named = Vec::new();
    for use_case in use_cases {
        // A use case that was removed still has data, but no endpoint.
        let document = onboarding::find(target, platform, use_case).await?;
        for model in document.iter().flat_map(|document| &document.models) {
            let key = places::use_case::champion(use_case, &model.name);
            let champion: Option<Champion> = target.document(platform, &key).await?;
            named.extend(champion.map(|champion| (format!("{use_case} {}", model.name), champion.endpoint_name)));
        }
    }
    let mut found = Vec::new();
    let logs = target.command("logs check-endpoint");
    for (of, name) in &named {
        match present.iter().find(|endpoint| endpoint.name == *name) {
            None => found.push(Check::missing(
                "endpoints",
                format!("{name} of {of} is gone"),
                format!("the tick makes it again within 15 minutes; if not, `{logs}`"),
            )),
            Some(endpoint) if endpoint.status == "InService" => {}
            Some(endpoint) => found.push(Check::warning(
                "endpoints",
                format!("{name} of {of} is {}", endpoint.status),
                format!("wait while a run works on it; if it stays so, `{logs}`"),
            )),
        }
    }
    let unread = present
        .iter()
        .filter(|it| !named.iter().any(|(_, name)| *name == it.name));
    let unread: Vec<&str> = unread.map(|it| it.name.as_str()).collect();
    if !unread.is_empty() {
        found.push(Check::warning(
            "endpoints",
            format!("no champion names {}", unread.join(", ")),
            "a run may be making it; else the tick deletes it a day after it was first seen",
        ));
    }
    if found.is_empty() {
        found.push(Check::ok("endpoints", format!("{} in service", named.len())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::with_config("dev", fake_aws::FakeAws::new().sdk_config())
    }

    #[test]
    fn each_line_says_what_to_do() {
        let check = letters(&target(), 2);
        assert_eq!(check.level, Level::Warning);
        assert_eq!(
            check.in_words(),
            "warning  dead letters   2 events or calls have failed for good\n                        \
             -> `drivetrain dead-letters` lists them; `redrive` calls again\n"
        );
        assert_eq!(letters(&target(), 0).in_words(), "ok       dead letters   none\n");
    }

    #[test]
    fn who_has_not_confirmed_is_named() {
        let one = |email: &str, arn: Option<&str>| Subscription {
            arn: arn.map(str::to_owned),
            email: email.to_owned(),
            filter: subscriptions::Filter::All,
        };
        assert_eq!(mails(&target(), &[]).level, Level::Warning);
        assert_eq!(mails(&target(), &[one("a@x.org", Some("arn"))]).level, Level::Ok);
        let waiting = mails(&target(), &[one("a@x.org", Some("arn")), one("b@x.org", None)]);
        assert_eq!(
            (waiting.level, waiting.found.as_str()),
            (Level::Warning, "not confirmed yet: b@x.org")
        );
    }
}
