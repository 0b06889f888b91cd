//! The program itself: how it starts, and what is left when it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::s3_stub::S3Stub;
use crate::support::ROLE;

/// A training job that never ends by itself and whose work is done by a child of its main process.
const IMAGES: &str =
    "images: [{image: slow, train: [sh, -c, \"trap '' TERM; sleep 600 & echo $! > {dir}/pid; wait; wait\"]}]";

struct Program {
    child: Child,
    url: String,
    dir: tempfile::TempDir,
}

impl Program {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("images.yaml"), IMAGES).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sagemaker-local"))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--s3-endpoint",
                &S3Stub::default().serve().await,
            ])
            .args([
                "--service-models",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/service-models"),
            ])
            .arg("--data-dir")
            .arg(dir.path().join("data"))
            .arg("--images")
            .arg(dir.path().join("images.yaml"))
            .arg("--define")
            .arg(format!("dir={}", dir.path().display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines
            .find(|line| line.as_ref().unwrap().contains("ready"))
            .unwrap()
            .unwrap();
        let url = ready
            .split_once("url=")
            .unwrap()
            .1
            .split(' ')
            .next()
            .unwrap()
            .to_owned();
        // Keeps reading, so that the program never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, dir }
    }

    /// Starts a training job; returns the process that does its work.
    async fn train(&self) -> String {
        let request = json!({
            "TrainingJobName": "cars-1",
            "AlgorithmSpecification": {"TrainingImage": "slow", "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://out/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        });
        let client = reqwest::Client::new();
        let call = client
            .post(&self.url)
            .header("X-Amz-Target", "SageMaker.CreateTrainingJob");
        assert_eq!(call.body(request.to_string()).send().await.unwrap().status(), 200);
        until(|| {
            let pid = std::fs::read_to_string(self.dir.path().join("pid")).ok()?;
            pid.ends_with('\n').then(|| pid.trim().to_owned())
        })
        .await
    }
}

async fn until<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let poll = async {
        loop {
            if let Some(found) = there() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), poll).await.unwrap()
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z"))
}

#[tokio::test]
async fn a_termination_ends_everything_in_order() {
    let mut program = Program::start().await;
    let worker = program.train().await;
    assert!(alive(&worker));
    let pid = nix::unistd::Pid::from_raw(i32::try_from(program.child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(program.child.wait().unwrap().success());
    until(|| (!alive(&worker)).then_some(())).await;
}

#[tokio::test]
async fn even_a_killed_server_leaves_nothing_behind() {
    let mut program = Program::start().await;
    let worker = program.train().await;
    assert!(alive(&worker));
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    until(|| (!alive(&worker)).then_some(())).await;
}

#[tokio::test]
async fn a_missing_images_file_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_sagemaker-local"))
        .args([
            "--data-dir",
            env!("CARGO_TARGET_TMPDIR"),
            "--images",
            "/no/such/images.yaml",
        ])
        .args([
            "--service-models",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/service-models"),
        ])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("the images file could not be read: /no/such/images.yaml"),
        "{told}"
    );
}
