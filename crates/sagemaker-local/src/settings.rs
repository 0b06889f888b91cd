//! The command line, with environment variables as alternatives.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Run SageMaker's control plane, endpoints and batch jobs on this machine.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "sagemaker-local",
    version,
    after_help = "Examples:\n  \
        sagemaker-local --data-dir target/local/sagemaker --service-models .venv/lib/python3.11/site-packages/botocore/data \\\n    \
        --images local/images.yaml --define python=.venv/bin/python --define monitor=target/debug/drivetrain-monitor\n  \
        sagemaker-local --listen 127.0.0.1:0 --data-dir sagemaker-data --service-models botocore/data --images local/images.yaml --images my-images.yaml\n\n\
        Faults on demand:\n  \
        curl -X POST http://127.0.0.1:4570/_local/faults -d '{\"operation\":\"CreateTrainingJob\",\"kind\":\"throttle\",\"times\":2}'"
)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one, which the first log line names.
    #[arg(long, env = "SAGEMAKER_LOCAL_LISTEN", default_value = "127.0.0.1:4570")]
    pub listen: SocketAddr,

    /// Directory of the containers' files (`containers/`) and logs (`logs/<kind>/<name>.log`).
    #[arg(long, env = "SAGEMAKER_LOCAL_DATA_DIR")]
    pub data_dir: PathBuf,

    /// The S3 that inputs, models and outputs live in (path-style addresses).
    #[arg(long, env = "SAGEMAKER_LOCAL_S3_ENDPOINT", default_value = "http://127.0.0.1:4566")]
    pub s3_endpoint: String,

    /// botocore's `data` folder, which holds AWS's service models.
    #[arg(long, env = "SAGEMAKER_LOCAL_SERVICE_MODELS")]
    pub service_models: PathBuf,

    /// A file that maps image URIs to commands; repeatable, later files win.
    #[arg(long, env = "SAGEMAKER_LOCAL_IMAGES", value_delimiter = ',', required = true)]
    pub images: Vec<PathBuf>,

    /// A word for the images files, `{NAME}` there: `python=.venv/bin/python`; repeatable.
    #[arg(long, env = "SAGEMAKER_LOCAL_DEFINE", value_delimiter = ',', value_parser = parse_definition, value_name = "NAME=VALUE")]
    pub define: Vec<(String, String)>,

    /// Region in ARNs and in the containers' environment.
    #[arg(long, env = "SAGEMAKER_LOCAL_REGION", default_value = "us-east-1")]
    pub region: String,

    /// Account in ARNs.
    #[arg(long, env = "SAGEMAKER_LOCAL_ACCOUNT", default_value = "000000000000")]
    pub account: String,
}

fn parse_definition(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), absolute_if_file(value))),
        _ => Err(format!("`{text}` is not of the form NAME=VALUE")),
    }
}

/// Makes the path of a file absolute, because containers run in a working directory of their own. Links are not
/// resolved: the program of a Python environment finds its packages by its own path.
fn absolute_if_file(value: &str) -> String {
    match std::path::absolute(value) {
        Ok(path) if path.exists() => path.display().to_string(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_keeps_everything_after_the_first_equals_sign() {
        assert_eq!(parse_definition("python=/a=b"), Ok(("python".into(), "/a=b".into())));
        assert!(parse_definition("python").is_err());
        assert!(parse_definition("=x").is_err());
    }

    #[test]
    fn a_relative_path_of_a_file_becomes_absolute_and_other_words_stay() {
        let here = std::env::current_dir().unwrap();
        let (_, value) = parse_definition("manifest=src/lib.rs").unwrap();
        assert_eq!(value, here.join("src/lib.rs").display().to_string());
        assert_eq!(parse_definition("python=python3").unwrap().1, "python3");
    }
}
