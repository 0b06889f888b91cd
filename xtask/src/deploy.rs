//! Deploys the template to the local stack: does what `sam build` would do with this build's binaries, then runs `sam
//! deploy`.
//!
//! The deployed template is the project's own, word for word; only the places of code, definitions and scripts point to
//! what was built. On AWS, `sam build && sam deploy` does the same without this module.

use crate::cargo::Binaries;
use crate::environments::Environment;
use crate::layout::Layout;
use crate::process::{output, quiet};
use anyhow::{Context, Result, bail};
use drivetrain::document::yaml::{Marked, Node};
use drivetrain::local::{self, Deployed, State};
use drivetrain::target::{Target, describe};
use drivetrain::ui::Step;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The name of the stack that runs locally.
pub const STACK: &str = "drivetrain";
/// The recipient of all local notices; nothing leaves the machine.
const EMAIL: &str = "you@example.com";
/// The bucket in which sam keeps the code that it deploys.
const CODE_BUCKET: &str = "drivetrain-code";

/// Deploys the template with the parameters in `wished` (`NAME=VALUE`) and our own, unless exactly this is already
/// deployed. Returns whether it did.
///
/// # Errors
/// The template names a program that doesn't exist, or CloudFormation refuses it: the text has sam's last lines.
pub async fn deploy(layout: &Layout, state: &mut State, binaries: &Binaries, wished: &[String]) -> Result<bool> {
    let step = Step::begin("Deploy");
    step.at("staging the template");
    let folder = layout.local().join("sam").join(layout.instance());
    let parameters = parameters(wished);
    let fingerprint = stage(layout, binaries, &folder, &parameters).await?;
    if state
        .deployed
        .as_ref()
        .is_some_and(|deployed| deployed.fingerprint == fingerprint)
    {
        step.done(&format!("`{STACK}` is deployed as it is"));
        return Ok(false);
    }
    step.at("sam deploy");
    let endpoint = state.endpoint();
    make_code_bucket(state).await?;
    let mut sam = Command::new(Environment::Tools.program(layout, "sam"));
    sam.current_dir(&folder)
        .args([
            "deploy",
            "--template-file",
            "template.yaml",
            "--stack-name",
            STACK,
            "--region",
            local::REGION,
        ])
        .args([
            "--s3-bucket",
            CODE_BUCKET,
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--no-progressbar",
        ])
        .args([
            "--capabilities",
            "CAPABILITY_IAM",
            "CAPABILITY_NAMED_IAM",
            "CAPABILITY_AUTO_EXPAND",
        ])
        .arg("--parameter-overrides")
        .args(&parameters)
        .envs(local_environment(&endpoint))
        .env("SAM_CLI_TELEMETRY", "0")
        // Seconds between two looks at the deployment; the default of 5 is meant for AWS.
        .env("SAM_CLI_POLL_DELAY", "0.5")
        // sam keeps settings in the home directory; the user's own are left alone.
        .env("__SAM_CLI_APP_DIR", layout.local().join("sam/settings"));
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN"] {
        sam.env_remove(name);
    }
    let log = state.folder.join("logs/deploy.log");
    quiet(&mut sam, &log)
        .await
        .context("the template does not deploy onto the local stack")?;
    state.deployed = Some(Deployed {
        stack: STACK.to_owned(),
        fingerprint,
        at: Timestamp::now(),
    });
    state.save()?;
    step.done(&format!("`{STACK}` from template.yaml"));
    Ok(true)
}

/// The variables that any AWS client needs to reach the local stack.
pub fn local_environment(endpoint: &str) -> [(&'static str, String); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", local::ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", local::ACCESS_KEY.to_owned()),
        ("AWS_REGION", local::REGION.to_owned()),
        ("AWS_DEFAULT_REGION", local::REGION.to_owned()),
    ]
}

/// Our parameters, except those that the user sets otherwise.
fn parameters(wished: &[String]) -> Vec<String> {
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    };
    let own = [
        format!("Prefix={STACK}"),
        format!("NotificationEmail={EMAIL}"),
        // An endpoint of a local process is ready within seconds.
        "EndpointPollSeconds=1".to_owned(),
        format!("Architecture={architecture}"),
    ];
    let of_people = |own: &String| wished.iter().any(|it| name(it) == name(own));
    let mut all: Vec<String> = own.into_iter().filter(|it| !of_people(it)).collect();
    all.extend_from_slice(wished);
    all
}

/// The name in `NAME=VALUE`.
fn name(parameter: &str) -> &str {
    parameter.split_once('=').map_or(parameter, |(name, _)| name)
}

async fn make_code_bucket(state: &State) -> Result<()> {
    let s3 = Target::local(state.clone(), STACK).s3();
    // In this region it is no error to create a bucket that one owns already.
    let made = s3.create_bucket().bucket(CODE_BUCKET).send().await;
    made.map_err(|error| describe("CreateBucket", error))?;
    Ok(())
}

/// Writes the template and the functions' code to `folder`; returns a fingerprint of all of it.
async fn stage(layout: &Layout, binaries: &Binaries, folder: &Path, parameters: &[String]) -> Result<String> {
    let path = layout.path("template.yaml");
    let source = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let staged = staged_template(&source, &folder.join("code"), layout.root())?;
    let mut parts = vec![source, parameters.join(" ")];
    for file in &staged.files {
        let text = std::fs::read_to_string(file);
        parts.push(text.with_context(|| format!("the template names {}", file.display()))?);
    }
    std::fs::create_dir_all(folder)?;
    for program in &staged.programs {
        let binary = &binaries.get(program)?.path;
        parts.push(version(binary)?);
        pack(binary, &folder.join("code").join(format!("{program}.zip"))).await?;
    }
    std::fs::write(folder.join("template.yaml"), &staged.text)?;
    Ok(contracts::pointer::sha256(parts.join("\0").as_bytes()))
}

/// A template that points to code, definitions and scripts on this machine.
#[derive(Debug, PartialEq, Eq)]
struct Staged {
    text: String,
    /// The programs that its functions run.
    programs: Vec<String>,
    /// The files of its state machines, and the scripts of its Glue jobs.
    files: Vec<PathBuf>,
}

/// Points every function to `<code>/<program>.zip`, and every definition and script to its file below `root`; leaves
/// everything else as it is written.
fn staged_template(source: &str, code: &Path, root: &Path) -> Result<Staged> {
    let marked = Marked::parse(source).context("template.yaml is not YAML")?;
    let mut edits: BTreeMap<usize, (Range<usize>, String)> = BTreeMap::new();
    let mut staged = Staged {
        text: String::new(),
        programs: Vec::new(),
        files: Vec::new(),
    };
    let text = |path: &str| marked.get(path).and_then(|node| node.text.clone());
    for resource in marked.children("Resources") {
        match text(&format!("{resource}.Type")).as_deref() {
            Some("AWS::Serverless::Function") => {
                let Some(program) = text(&format!("{resource}.Metadata.BuildProperties.Binary")) else {
                    bail!("{resource} in template.yaml names no Metadata.BuildProperties.Binary");
                };
                let place = serde_json::to_string(&code.join(format!("{program}.zip")))?;
                let properties = format!("{resource}.Properties");
                if let Some(uri) = marked.get(&format!("{properties}.CodeUri")) {
                    edits.insert(uri.bytes.start, (uri.bytes.clone(), place));
                } else {
                    let first = marked
                        .children(&properties)
                        .filter_map(|path| key_start(source, marked.get(path)?))
                        .min();
                    let start = first.with_context(|| format!("{properties} in template.yaml is empty"))?;
                    let indent = " ".repeat(start - source[..start].rfind('\n').map_or(0, |end| end + 1));
                    edits.insert(start, (start..start, format!("CodeUri: {place}\n{indent}")));
                }
                staged.programs.push(program);
            }
            Some(kind) => {
                let place = match kind {
                    "AWS::Serverless::StateMachine" => "DefinitionUri",
                    "AWS::Glue::Job" => "Command.ScriptLocation",
                    _ => continue,
                };
                if let Some(uri) = marked.get(&format!("{resource}.Properties.{place}")) {
                    let file = root.join(uri.text.as_deref().unwrap_or_default());
                    edits.insert(uri.bytes.start, (uri.bytes.clone(), serde_json::to_string(&file)?));
                    staged.files.push(file);
                }
            }
            None => {}
        }
    }
    let mut end = 0;
    for (range, replacement) in edits.into_values() {
        staged.text.push_str(&source[end..range.start]);
        staged.text.push_str(&replacement);
        end = range.end;
    }
    staged.text.push_str(&source[end..]);
    Ok(staged)
}

/// Where the key of a block mapping's value begins: at the first word of its line.
fn key_start(source: &str, node: &Node) -> Option<usize> {
    let line_start: usize = source.split_inclusive('\n').take(node.at.line - 1).map(str::len).sum();
    let line = source[line_start..].lines().next()?;
    Some(line_start + (line.len() - line.trim_start().len()))
}

/// Changes whenever the binary does; reading hundreds of megabytes at each start would be slow.
fn version(binary: &Path) -> Result<String> {
    let metadata = std::fs::metadata(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let modified = metadata.modified()?.duration_since(std::time::UNIX_EPOCH)?;
    Ok(format!(
        "{} {} {}",
        binary.display(),
        metadata.len(),
        modified.as_nanos()
    ))
}

/// Packs the binary as Lambda's runtime expects it, without its symbols, which are most of its size.
async fn pack(binary: &Path, archive: &Path) -> Result<()> {
    let (bootstrap, marker) = (archive.with_extension("bootstrap"), archive.with_extension("version"));
    let version = version(binary)?;
    if archive.exists() && std::fs::read_to_string(&marker).is_ok_and(|made_of| made_of == version) {
        return Ok(());
    }
    if let Some(folder) = archive.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&bootstrap).arg(binary);
    if output(&mut strip).await.is_err() {
        // A machine without binutils deploys larger functions that behave the same.
        std::fs::copy(binary, &bootstrap).with_context(|| format!("cannot copy {}", binary.display()))?;
    }
    write_archive(&bootstrap, archive).with_context(|| format!("cannot write {}", archive.display()))?;
    std::fs::remove_file(&bootstrap)?;
    std::fs::write(marker, version)?;
    Ok(())
}

/// A zip of one program called `bootstrap`. It is not compressed, because it never leaves this machine and compression
/// would take sam seconds for each.
fn write_archive(bootstrap: &Path, archive: &Path) -> Result<()> {
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    let mut writer = zip::ZipWriter::new(std::fs::File::create(archive)?);
    writer.start_file("bootstrap", options)?;
    std::io::copy(&mut std::fs::File::open(bootstrap)?, &mut writer)?;
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_people_wish_for_stands_once() {
        let all = parameters(&["EndpointPollSeconds=5".to_owned(), "LogRetentionDays=7".to_owned()]);
        let of = |wanted: &str| all.iter().filter(|it| name(it) == wanted).collect::<Vec<_>>();
        assert_eq!(of("EndpointPollSeconds"), ["EndpointPollSeconds=5"]);
        assert_eq!(of("LogRetentionDays"), ["LogRetentionDays=7"]);
        assert_eq!(of("Prefix"), ["Prefix=drivetrain"]);
    }

    const TEMPLATE: &str = "\
Globals:
  Function:
    CodeUri: .
Resources:
  StartRun:
    Type: AWS::Serverless::Function
    Metadata:
      BuildProperties:
        Binary: start-run
    Properties:
      # kept
      FunctionName: !Sub '${Prefix}-start-run'
      Policies:
        - Statement: []
  Gate:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: rmse-gate}}
    Properties:
      CodeUri: functions/rmse-gate
      Timeout: 3
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: statemachines/training.asl.json
  Job:
    Type: AWS::Glue::Job
    Properties:
      Command:
        ScriptLocation: infra/glue/consolidate_captures.py
  Bucket:
    Type: AWS::S3::Bucket
";

    #[test]
    fn code_definitions_and_scripts_are_found_and_all_else_is_kept() {
        let staged = staged_template(TEMPLATE, Path::new("/code"), Path::new("/root")).unwrap();
        assert_eq!(staged.programs, ["rmse-gate", "start-run"]);
        assert_eq!(
            staged.files,
            [
                "/root/infra/glue/consolidate_captures.py",
                "/root/statemachines/training.asl.json"
            ]
            .map(PathBuf::from)
        );
        insta::assert_snapshot!(staged.text);
    }

    #[test]
    fn the_projects_template_names_programs_for_all_its_functions() {
        let layout = Layout::new("stack");
        let source = std::fs::read_to_string(layout.path("template.yaml")).unwrap();
        let staged = staged_template(&source, Path::new("/code"), layout.root()).unwrap();
        for program in &staged.programs {
            assert!(layout.path("functions").join(program).is_dir(), "{program}");
        }
        assert!(staged.files.iter().all(|file| file.exists()));
        assert_eq!(
            staged.text.lines().count(),
            source.lines().count() + staged.programs.len()
        );
    }

    #[test]
    fn a_function_without_a_program_is_named() {
        let source = "Resources:\n  Lost:\n    Type: AWS::Serverless::Function\n    Properties:\n      Timeout: 3\n";
        let error = staged_template(source, Path::new("/c"), Path::new("/r")).unwrap_err();
        assert!(error.to_string().contains("Resources.Lost"), "{error}");
    }
}
