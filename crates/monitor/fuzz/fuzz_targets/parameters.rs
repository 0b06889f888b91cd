//! A job's parameters: the environment and its configuration are accepted or refused, and can be shown.
//!
//! Input: lines of `NAME=VALUE`, then, after 0x1c, the job's configuration.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::container::{Base, Parameters};
use monitor_fuzz::{folder, parts};
use std::collections::BTreeMap;

fuzz_target!(|data: &[u8]| {
    let parts = parts(data);
    let folder = folder();
    let config = folder.join("config");
    std::fs::create_dir_all(&config).unwrap();
    let config = config.join("processingjobconfig.json");
    match parts.get(1) {
        Some(text) => std::fs::write(&config, text).unwrap(),
        None => _ = std::fs::remove_file(&config),
    }
    let lines = String::from_utf8_lossy(parts[0]);
    let variables = lines.lines().filter_map(|it| it.split_once('='));
    let mut environment: BTreeMap<String, String> = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, value) in [
        ("dataset_source", "/opt/ml/processing/input"),
        ("dataset_format", "{\"csv\":{}}"),
        ("output_path", "/opt/ml/processing/output"),
    ] {
        environment.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    match Parameters::read(environment.clone(), &Base::new(folder.to_str())) {
        Ok(parameters) => {
            let shown = parameters.shown();
            let text = shown.to_string();
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), shown);
            for name in ["dataset_source", "dataset_format", "output_path"] {
                assert!(shown[name].is_string());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
