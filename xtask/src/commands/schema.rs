//! `schema`: writes the JSON Schema of use-case documents, for editors, from the Rust types.

use crate::layout::Layout;
use anyhow::{Context, Result, bail};
use clap::Args;
use contracts::UseCase;
use drivetrain::ui;

/// The file of the schema in the repository.
const FILE: &str = "models/use-case.schema.json";

/// Write models/use-case.schema.json from the document's types.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask schema\n  cargo xtask schema --check      fail when the file is out of date"
)]
pub struct Schema {
    /// Only compare
    #[arg(long)]
    check: bool,
}

impl Schema {
    /// Writes or compares the file.
    ///
    /// # Errors
    /// It differs, or can't be written.
    pub fn run(&self, layout: &Layout) -> Result<()> {
        if self.check {
            return check(layout);
        }
        let path = layout.path(FILE);
        std::fs::write(&path, text()?).with_context(|| format!("cannot write {}", path.display()))?;
        ui::say(&format!("wrote {FILE}"));
        Ok(())
    }
}

/// Checks that the file agrees with the types.
///
/// # Errors
/// It doesn't.
pub fn check(layout: &Layout) -> Result<()> {
    let path = layout.path(FILE);
    let present = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if present != text()? {
        bail!("{FILE} does not agree with the types in crates/contracts: write it again with `cargo xtask schema`");
    }
    Ok(())
}

fn text() -> Result<String> {
    let mut schema = schemars::schema_for!(UseCase);
    schema.insert("title".to_owned(), "A use case of Drivetrain".into());
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_the_documents_fields() {
        let schema: serde_json::Value = serde_json::from_str(&text().unwrap()).unwrap();
        assert_eq!(schema["additionalProperties"], false);
        for field in ["use_case", "schema", "target", "models", "recipients"] {
            assert!(schema["properties"][field].is_object(), "{field}");
        }
    }
}
