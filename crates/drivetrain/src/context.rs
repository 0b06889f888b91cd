//! What every command knows: which stack it works on, where that is, and how to answer.

use crate::local::{self, Instance};
use crate::target::{Reach, Target};
use crate::ui;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use contracts::command::DEFAULT_STACK;
use contracts::names::{self, MAX_STACK};
use serde::Serialize;

/// The options that every command has.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where, and how to answer")]
pub struct Options {
    /// The stack's short name: the template's parameter Prefix
    #[arg(long, global = true, env = "DRIVETRAIN_STACK", default_value = DEFAULT_STACK, value_parser = parse_stack, value_name = "NAME")]
    pub stack: String,

    /// Where the stack runs; a local stack that happens to be up does not change the default
    #[arg(long, global = true, env = "DRIVETRAIN_ON", value_enum, default_value_t = Place::Aws)]
    pub on: Place,

    /// The AWS profile [default: AWS_PROFILE, or the profile `default`]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// The AWS region [default: AWS_REGION, or the profile's]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// Which local stack
    #[arg(long, global = true, env = "DRIVETRAIN_INSTANCE", default_value = local::DEFAULT_INSTANCE, value_name = "NAME", value_parser = local::parse_instance)]
    pub instance: String,

    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
}

/// Where a stack runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// In an AWS account, found as the AWS CLI finds it
    Aws,
    /// On this machine: `cargo xtask up` in a checkout started it
    Local,
}

/// What every command knows about the stack and the form of its answer.
#[derive(Clone, Debug)]
pub struct Context {
    options: Options,
}

impl Context {
    /// A context for the options of the command line.
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether the stack runs on this machine.
    pub fn is_local(&self) -> bool {
        self.options.on == Place::Local
    }

    /// Whether the answer is JSON, for programs.
    pub fn json(&self) -> bool {
        self.options.json
    }

    /// The local stack that the options name, up or down.
    ///
    /// # Errors
    /// There is no folder of local stacks.
    pub fn instance(&self) -> Result<Instance> {
        Instance::find(&self.options.instance)
    }

    /// The stack that the options name, for reading.
    ///
    /// # Errors
    /// The local stack is down, or AWS can't be reached: the text says what to do.
    pub async fn target(&self) -> Result<Target> {
        let Options {
            stack,
            on,
            profile,
            region,
            ..
        } = &self.options;
        let mut target = match on {
            Place::Local if profile.is_some() || region.is_some() => bail!(
                "`--profile` and `--region` are for AWS, and the local stack is asked for (`--on`, or DRIVETRAIN_ON): add \
                 `--on aws`"
            ),
            Place::Local => Target::local(self.instance()?.running()?, stack),
            Place::Aws => Target::aws(stack, profile.as_deref(), region.as_deref()).await?,
        };
        target.reach = self.reach();
        Ok(target)
    }

    /// How another command reaches the stack that the options name, from the same shell.
    pub fn reach(&self) -> Reach {
        reach(&self.options, |variable| std::env::var(variable).ok())
    }

    /// The stack that the options name, for changing it: first tells the user where it is.
    ///
    /// # Errors
    /// As [`Self::target`]; or AWS does not say which account the credentials belong to.
    pub async fn target_to_change(&self) -> Result<Target> {
        let target = self.target().await?;
        ui::say(&target.place().await?);
        Ok(target)
    }

    /// Shows a result: as JSON for programs, as text for people.
    ///
    /// # Errors
    /// The result can't be written as JSON.
    pub fn show<T: Serialize>(&self, result: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json() {
            ui::show_json(&serde_json::to_string_pretty(result)?);
            return Ok(());
        }
        let text = text(result);
        if !text.trim().is_empty() {
            ui::show(text.trim_end());
        }
        Ok(())
    }
}

/// The options that another command needs as well: those that neither the environment nor a default says alike.
fn reach(options: &Options, variable: impl Fn(&str) -> Option<String>) -> Reach {
    let on = match options.on {
        Place::Aws => "aws",
        Place::Local => "local",
    };
    let mut needed = Vec::new();
    for (option, value, name, default) in [
        ("--stack", options.stack.as_str(), "DRIVETRAIN_STACK", DEFAULT_STACK),
        ("--on", on, "DRIVETRAIN_ON", "aws"),
        (
            "--instance",
            &options.instance,
            "DRIVETRAIN_INSTANCE",
            local::DEFAULT_INSTANCE,
        ),
    ] {
        let is_about_another_place = option == "--instance" && options.on == Place::Aws;
        if variable(name).as_deref().unwrap_or(default) != value && !is_about_another_place {
            needed.push((option, value));
        }
    }
    needed.extend(options.profile.as_deref().map(|profile| ("--profile", profile)));
    needed.extend(options.region.as_deref().map(|region| ("--region", region)));
    Reach::by(&needed)
}

fn parse_stack(name: &str) -> Result<String, String> {
    if name.len() > MAX_STACK {
        return Err(format!(
            "`{name}` has {} characters; {MAX_STACK} fit into SageMaker's names",
            name.len()
        ));
    }
    if !names::is_id(name) {
        return Err(format!(
            "`{name}` must be lower-case letters, digits and single hyphens"
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_messages_carry_the_options_that_they_need() {
        let options = |stack: &str, on, instance: &str| Options {
            stack: stack.to_owned(),
            on,
            profile: None,
            region: None,
            instance: instance.to_owned(),
            json: false,
        };
        let told = |options: &Options, set: &[(&str, &str)]| {
            let variable = |name: &str| {
                set.iter()
                    .find(|(it, _)| *it == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            reach(options, variable).command("status")
        };
        let usual = options(DEFAULT_STACK, Place::Aws, local::DEFAULT_INSTANCE);
        assert_eq!(told(&usual, &[]), "drivetrain status");
        let other = options("prod", Place::Local, "second");
        let all = "drivetrain status --stack prod --on local --instance second";
        assert_eq!(told(&other, &[]), all);
        let set = [
            ("DRIVETRAIN_ON", "local"),
            ("DRIVETRAIN_INSTANCE", "second"),
            ("DRIVETRAIN_STACK", "prod"),
        ];
        assert_eq!(told(&other, &set), "drivetrain status");
        assert_eq!(told(&usual, &set), "drivetrain status --stack drivetrain --on aws");
        let of_profile = Options {
            profile: Some("prod".to_owned()),
            region: Some("eu-west-1".to_owned()),
            ..usual
        };
        assert_eq!(
            told(&of_profile, &[]),
            "drivetrain status --profile prod --region eu-west-1"
        );
    }

    #[test]
    fn a_stack_name_that_does_not_fit_is_refused() {
        assert!(parse_stack("drivetrain").is_ok());
        assert!(parse_stack("fourteen-chars").is_ok());
        assert!(parse_stack("fifteen-charact").unwrap_err().contains("14 fit"));
        assert!(parse_stack("Drive_train").is_err());
    }
}
