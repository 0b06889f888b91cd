//! The images files: which programs take the place of an image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

/// The programs that take the place of an image on this machine. If a command is absent, it can't be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageCommands {
    /// The command for training jobs.
    pub train: Option<Vec<String>>,
    /// The command for containers of endpoints and transform jobs.
    pub serve: Option<Vec<String>>,
    /// The image's own entry point, for a processing job that names none.
    pub entrypoint: Option<Vec<String>>,
    /// Replacements for the first word of a processing job's entry point, by that word.
    pub process: BTreeMap<String, Vec<String>>,
    /// Variables that the image sets in every container.
    pub environment: BTreeMap<String, String>,
    /// The algorithm's own metric definitions.
    pub metrics: Vec<MetricDefinition>,
}

/// A metric in a container's log: its name, and a pattern whose first group is the value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricDefinition {
    #[serde(alias = "Name")]
    pub name: String,
    #[serde(alias = "Regex")]
    pub regex: String,
}

/// All mapped images; later entries win over earlier ones.
#[derive(Debug)]
pub struct Images {
    entries: Vec<(GlobMatcher, ImageCommands)>,
}

/// The mistake in an images file.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    Parse {
        path: PathBuf,
        source: Box<serde_saphyr::Error>,
    },
    #[error("{path}: image `{image}`: {source}")]
    Glob {
        path: PathBuf,
        image: String,
        source: globset::Error,
    },
    #[error("{path}: image `{image}`: metric `{metric}`: {source}")]
    Metric {
        path: PathBuf,
        image: String,
        metric: String,
        source: Box<fancy_regex::Error>,
    },
    #[error("{path}: image `{image}`: `{{{word}}}` is not defined; give it with --define {word}=VALUE")]
    Undefined { path: PathBuf, image: String, word: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImagesFile {
    images: Vec<ImageEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageEntry {
    image: String,
    train: Option<Words>,
    serve: Option<Words>,
    entrypoint: Option<Words>,
    #[serde(default)]
    process: BTreeMap<String, Words>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    metrics: Vec<MetricDefinition>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Images {
    /// Reads images files. `{here}` in a file is its folder, other `{words}` come from `definitions`.
    ///
    /// # Errors
    /// [`ImagesError`], naming the file and the entry.
    pub fn load(paths: &[PathBuf], definitions: &[(String, String)]) -> Result<Self, ImagesError> {
        let mut entries = Vec::new();
        for path in paths {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let text = std::fs::read_to_string(&path).map_err(|source| ImagesError::Read {
                path: path.clone(),
                source,
            })?;
            entries.extend(parse(&path, &text, definitions)?);
        }
        Ok(Self { entries })
    }

    /// The commands of an image; `None` if no entry matches its URI.
    pub fn resolve(&self, image_uri: &str) -> Option<&ImageCommands> {
        self.entries
            .iter()
            .rev()
            .find(|(glob, _)| glob.is_match(image_uri))
            .map(|(_, commands)| commands)
    }
}

/// The message for an unmapped image, used wherever one is found.
pub fn unmapped(image_uri: &str, command: &str) -> String {
    format!(
        "sagemaker-local has no `{command}` command for the image {image_uri}; map it in a file given with --images: \
         images: [{{image: \"{image_uri}\", {command}: [program, argument, …]}}]"
    )
}

fn parse(
    path: &Path,
    text: &str,
    definitions: &[(String, String)],
) -> Result<Vec<(GlobMatcher, ImageCommands)>, ImagesError> {
    let file: ImagesFile = serde_saphyr::from_str(text).map_err(|source| ImagesError::Parse {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let here = path.parent().unwrap_or(Path::new(".")).display().to_string();
    file.images
        .into_iter()
        .map(|entry| entry.resolve(path, &here, definitions))
        .collect()
}

impl ImageEntry {
    fn resolve(
        self,
        path: &Path,
        here: &str,
        definitions: &[(String, String)],
    ) -> Result<(GlobMatcher, ImageCommands), ImagesError> {
        let image = self.image;
        let glob = GlobBuilder::new(&image)
            .literal_separator(false)
            .build()
            .map_err(|source| ImagesError::Glob {
                path: path.to_owned(),
                image: image.clone(),
                source,
            })?
            .compile_matcher();
        for metric in &self.metrics {
            fancy_regex::Regex::new(&metric.regex).map_err(|source| ImagesError::Metric {
                path: path.to_owned(),
                image: image.clone(),
                metric: metric.name.clone(),
                source: Box::new(source),
            })?;
        }
        let fill = |text: &str| {
            fill_in(text, here, definitions).map_err(|word| ImagesError::Undefined {
                path: path.to_owned(),
                image: image.clone(),
                word,
            })
        };
        let command = |words: Words| -> Result<Vec<String>, ImagesError> {
            match words {
                Words::One(word) => Ok(vec![fill(&word)?]),
                Words::Many(words) => words.iter().map(|word| fill(word)).collect(),
            }
        };
        let commands = ImageCommands {
            train: self.train.map(command).transpose()?,
            serve: self.serve.map(command).transpose()?,
            entrypoint: self.entrypoint.map(command).transpose()?,
            process: self
                .process
                .into_iter()
                .map(|(word, words)| Ok((word, command(words)?)))
                .collect::<Result<_, ImagesError>>()?,
            environment: self
                .environment
                .into_iter()
                .map(|(name, value)| Ok((name, fill(&value)?)))
                .collect::<Result<_, ImagesError>>()?,
            metrics: self.metrics,
        };
        Ok((glob, commands))
    }
}

/// Replaces each `{word}`; the error is a word that is not defined. Braces around anything else are kept.
fn fill_in(text: &str, here: &str, definitions: &[(String, String)]) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, from_brace) = rest.split_at(start);
        filled.push_str(before);
        let word = from_brace[1..].split_once('}').map(|(word, _)| word);
        match word {
            Some(word) if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) => {
                let value = match word {
                    "here" => here,
                    _ => definitions
                        .iter()
                        .rev()
                        .find(|(name, _)| name == word)
                        .map(|(_, value)| value.as_str())
                        .ok_or_else(|| word.to_owned())?,
                };
                filled.push_str(value);
                rest = &from_brace[word.len() + 2..];
            }
            _ => {
                filled.push('{');
                rest = &from_brace[1..];
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
images:
  - image: "*/sagemaker-xgboost:3.0-5*"
    train: ["{python}", "{here}/train.py"]
    metrics: [{name: "validation:rmse", regex: "validation-rmse:([0-9.]+)"}]
  - image: "*/sagemaker-scikit-learn:1.2-1*"
    process: {python3: "{python}", tool: ["{python}", -m, tool]}
  - image: "123.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5-mine"
    train: "./mine"
"#;

    fn images(text: &str) -> Result<Images, ImagesError> {
        let definitions = [("python".to_owned(), "/env/python".to_owned())];
        parse(Path::new("/repo/local/images.yaml"), text, &definitions).map(|entries| Images { entries })
    }

    #[test]
    fn a_glob_spans_the_whole_uri_and_the_last_entry_wins() {
        let images = images(FILE).unwrap();
        let xgboost = images
            .resolve("683.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5-cpu-py3")
            .unwrap();
        assert_eq!(
            xgboost.train,
            Some(vec!["/env/python".into(), "/repo/local/train.py".into()])
        );
        assert_eq!(xgboost.metrics[0].name, "validation:rmse");
        let mine = images
            .resolve("123.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5-mine")
            .unwrap();
        assert_eq!(mine.train, Some(vec!["./mine".into()]));
        assert_eq!(images.resolve("sagemaker-xgboost:3.0-5"), None);
    }

    #[test]
    fn the_first_word_of_an_entry_point_is_mapped() {
        let images = images(FILE).unwrap();
        let sklearn = images.resolve("x/sagemaker-scikit-learn:1.2-1-cpu-py3").unwrap();
        assert_eq!(sklearn.process["python3"], ["/env/python"]);
        assert_eq!(sklearn.process["tool"], ["/env/python", "-m", "tool"]);
    }

    #[test]
    fn mistakes_name_the_entry() {
        let message = |text: &str| images(text).unwrap_err().to_string();
        assert!(message("images: [{image: a, train: \"{nope}\"}]").contains("`{nope}` is not defined"));
        assert!(message("images: [{image: a, metrics: [{name: m, regex: \"(\"}]}]").contains("metric `m`"));
        assert!(message("images: [{image: a, trian: x}]").contains("trian"));
    }

    #[test]
    fn other_braces_stay() {
        assert_eq!(fill_in("{a b} {} {here}/{", "/h", &[]), Ok("{a b} {} /h/{".into()));
    }
}
