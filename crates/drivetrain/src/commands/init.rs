//! `init`: makes a use-case document from a file of rows.

use crate::init::{self, Decided, Proposal, Wishes};
use crate::ui::{self, Step};
use crate::{Context as Asked, document, output};
use anyhow::{Context, Result, bail};
use clap::Args;
use contracts::words;
use serde::Serialize;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Reading that takes longer than this is announced when no progress line is shown.
const LONG: Duration = Duration::from_secs(2);
const STDOUT: &str = "-";

/// Write a use-case document for a CSV file: columns, types, bounds and thresholds as the file shows them, commented. It
/// trains as it is, and is there to be corrected; needs no stack and no network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain init listings.csv\n  \
    drivetrain init listings.csv --target price_USD --id used-car-price --output models/used-car-price.yaml\n  \
    drivetrain init sales.csv.gz --target sales --output -\n\n\
    CSV is read as a drop is: with any of the delimiters `,` `;` tab and `|`, decimal commas, other encodings than UTF-8, \
    compressed with gzip or zstd. The whole file is read, in bounded memory.")]
pub struct Init {
    /// The rows, with a header
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,

    /// The column to predict [default: one called as targets are, else the last column of numbers]
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,

    /// The use case's id [default: from the file's name]
    #[arg(long, value_name = "NAME")]
    id: Option<String>,

    /// Where to write the document; `-` is standard output [default: <id>.yaml]
    #[arg(long, value_name = "FILE|-")]
    output: Option<PathBuf>,

    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Serialize)]
struct Written {
    /// `None` when the document went to standard output, or into this answer.
    output: Option<PathBuf>,
    #[serde(flatten)]
    proposal: Proposal,
    next: Vec<String>,
}

impl Init {
    /// Reads the file and writes the document.
    ///
    /// # Errors
    /// The file is no table to learn from, or the document can't be written: the text says what to do.
    pub fn run(&self, context: &Asked) -> Result<()> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if self.file.is_dir() {
            bail!("{} is a folder: name a CSV file", self.file.display());
        }
        File::open(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        // A name that can't be used is reported before a long file is read.
        if let Some(output) = self.output.as_deref().filter(|output| *output != Path::new(STDOUT)) {
            output::refuse_folder(output)?;
        }
        if let (Some(output), false) = (&self.output, self.force) {
            refuse_existing(output)?;
        }
        let proposal = self.propose(&name)?;
        let to_stdout = self.output.as_deref() == Some(Path::new(STDOUT));
        let output = self
            .output
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("{}.yaml", proposal.use_case)));
        if !to_stdout {
            write(&output, &proposal.document, self.force)?;
            // The check reads the file that was written.
            document::sound(&output)?;
        }
        let shown = if to_stdout {
            format!("{}.yaml", proposal.use_case)
        } else {
            shell(&output)
        };
        let written = Written {
            next: vec![
                format!("drivetrain check {shown}"),
                context.reach().command(&format!("onboard {shown}")),
                context
                    .reach()
                    .command(&format!("drop {} {} --follow", proposal.use_case, shell(&self.file))),
            ],
            output: (!to_stdout).then_some(output),
            proposal,
        };
        if context.json() {
            return context.show(&written, |_| String::new());
        }
        if to_stdout {
            ui::say(in_words(&written).trim_end());
            ui::show_exactly(written.proposal.document.trim_end());
            return Ok(());
        }
        context.show(&written, in_words)
    }

    fn propose(&self, name: &str) -> Result<Proposal> {
        let open = || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(File::open(&self.file)?)) };
        let wishes = Wishes {
            target: self.target.as_deref(),
            id: self.id.as_deref(),
        };
        let step = Step::begin_on_terminal("Read");
        let (began, mut told) = (Instant::now(), false);
        let proposed = init::propose(name, &open, wishes, &mut |rows| {
            step.at(&format!("{} of {name}", words::counted(rows, "row", "rows")));
            if !told && !ui::on_terminal() && began.elapsed() > LONG {
                ui::say(&format!("reading {name} ..."));
                told = true;
            }
        });
        drop(step);
        proposed
    }
}

fn refuse_existing(output: &Path) -> Result<()> {
    if output != Path::new(STDOUT) && output.exists() {
        bail!(
            "{} exists already: `--force` overwrites it, `--output` names another file",
            output.display()
        );
    }
    Ok(())
}

fn write(output: &Path, document: &str, force: bool) -> Result<()> {
    output::create_folders(output)?;
    let mut options = File::options();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut file = match options.open(output) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return refuse_existing(output),
        opened => opened.with_context(|| format!("cannot write {}", output.display()))?,
    };
    file.write_all(document.as_bytes())
        .with_context(|| format!("cannot write {}", output.display()))
}

fn in_words(written: &Written) -> String {
    let proposal = &written.proposal;
    let header = ["column", "becomes", "why"].map(str::to_owned).to_vec();
    let row = |it: &Decided| {
        let required = if it.required { ", required" } else { "" };
        // The document has the rest of the reason.
        let why = it.why.split(": ").next().unwrap_or_default();
        let why = why.split(". ").next().unwrap_or_default();
        vec![it.column.clone(), format!("{}{required}", it.becomes), why.to_owned()]
    };
    let rows: Vec<Vec<String>> = std::iter::once(header)
        .chain(proposal.columns.iter().map(row))
        .collect();
    let mut text = ui::table(&rows);
    let reached = &proposal.baseline;
    text += &format!(
        "\n{}; without a model, by the median {}: RMSE {}",
        words::counted(proposal.rows, "row", "rows"),
        words::number(reached.median),
        words::number(reached.rmse_of_median)
    );
    if let (Some(column), Some(rmse)) = (&reached.group_by, reached.rmse_by_group) {
        text += &format!(", by that of each `{}`: {}", words::name(column), words::number(rmse));
    }
    text.push('\n');
    for note in &proposal.notes {
        text += &format!("note: {note}\n");
    }
    match &written.output {
        Some(output) => text += &format!("\n{} is written and valid. Read it, then:\n", output.display()),
        None => text += "\nThe document is valid. Save it, then:\n",
    }
    for command in &written.next {
        text += &format!("  {command}\n");
    }
    text
}

/// A path, quoted for a shell where necessary.
fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|it| it.is_alphanumeric() || "_-./,+=@:~".contains(it)) && !text.starts_with('-');
    if plain {
        return text;
    }
    let text = if text.starts_with('-') {
        format!("./{text}")
    } else {
        text
    };
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    const ROWS: &str = "year,fuel,price\n";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..900)
            .map(|at| {
                format!(
                    "{},{},{}\n",
                    2000 + at % 20,
                    ["gas", "diesel"][at % 2],
                    900 + at * 37 % 701
                )
            })
            .collect();
        std::fs::write(folder.path().join("used cars.csv"), ROWS.to_owned() + &rows).unwrap();
        folder
    }

    async fn run(folder: &Path, arguments: &[&str]) -> Result<()> {
        let (rows, output) = (folder.join("used cars.csv"), folder.join("cars.yaml"));
        let (rows, output) = (rows.to_str().unwrap(), output.to_str().unwrap());
        let all = [&["drivetrain", "init", rows, "--output", output][..], arguments].concat();
        Cli::try_parse_from(all).unwrap().run().await.map(|_| ())
    }

    #[tokio::test]
    async fn a_document_is_written_once_unless_it_is_forced() {
        let folder = folder();
        run(folder.path(), &[]).await.unwrap();
        let written = folder.path().join("cars.yaml");
        let document = document::sound(&written).unwrap();
        assert_eq!(
            (document.use_case.as_str(), document.target.name.as_str()),
            ("used-cars", "price")
        );
        let refused = run(folder.path(), &["--id", "other"]).await.unwrap_err().to_string();
        assert!(refused.contains("exists already: `--force`"), "{refused}");
        assert_eq!(document::sound(&written).unwrap(), document);
        run(folder.path(), &["--id", "other", "--force"]).await.unwrap();
        assert_eq!(document::sound(&written).unwrap().use_case, "other");
    }

    #[tokio::test]
    async fn a_file_that_is_none_is_told_by_its_name() {
        let folder = folder();
        std::fs::write(folder.path().join("used cars.csv"), "[{\"a\": 1}]").unwrap();
        let refused = run(folder.path(), &[]).await.unwrap_err().to_string();
        assert!(refused.starts_with("used cars.csv is JSON, not CSV"), "{refused}");
        assert!(!folder.path().join("cars.yaml").exists());
        std::fs::remove_file(folder.path().join("used cars.csv")).unwrap();
        let refused = run(folder.path(), &[]).await.unwrap_err().to_string();
        assert!(refused.starts_with("cannot read /"), "{refused}");
    }

    #[tokio::test]
    async fn folders_of_the_output_are_created() {
        let folder = folder();
        let output = folder.path().join("models/cars.yaml");
        let rows = folder.path().join("used cars.csv");
        let init = |output: &Path| {
            let words = [
                "drivetrain",
                "init",
                rows.to_str().unwrap(),
                "--output",
                output.to_str().unwrap(),
            ];
            Cli::try_parse_from(words).unwrap().run()
        };
        init(&output).await.unwrap();
        document::sound(&output).unwrap();
        let refused = init(folder.path()).await.unwrap_err().to_string();
        assert!(refused.ends_with("is a folder: name a file in it"), "{refused}");
    }

    #[test]
    fn paths_are_written_as_a_shell_takes_them() {
        assert_eq!(shell(Path::new("a/b-1.csv")), "a/b-1.csv");
        assert_eq!(shell(Path::new("used cars.csv")), "'used cars.csv'");
        assert_eq!(shell(Path::new("it's.csv")), "'it'\\''s.csv'");
        assert_eq!(shell(Path::new("-x.csv")), "'./-x.csv'");
    }

    #[test]
    fn decisions_and_what_to_do_next_are_told() {
        let rows = folder();
        let init = Init {
            file: rows.path().join("used cars.csv"),
            target: None,
            id: None,
            output: None,
            force: false,
        };
        let written = Written {
            output: Some(PathBuf::from("used-cars.yaml")),
            proposal: init.propose("used cars.csv").unwrap(),
            next: vec!["drivetrain check used-cars.yaml".to_owned()],
        };
        insta::assert_snapshot!(in_words(&written));
    }
}
