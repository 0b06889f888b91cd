//! Files that deploy and are checked in, made of sources that people read: the template and the state machines.

mod machine;
mod ordered;
mod template;

use crate::layout::Layout;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// The parts of the template, in the order of their names.
const PARTS: &str = "infra/platform";
/// The sources of the state machines, and the blocks that they share.
const MACHINES: &str = "statemachines/src";
const BLOCKS: &str = "statemachines/src/blocks.yaml";

const TEMPLATE_HEAD: &str = "\
# Made by `cargo xtask generate` of infra/platform/*.yaml and infra/reporting/views/*.sql: change those, not this file.
";

/// A file of the checkout as its sources say.
#[derive(Debug)]
pub struct Generated {
    /// Its path in the checkout.
    pub file: String,
    /// What it must hold.
    pub text: String,
}

impl Generated {
    /// Whether the checked-in file holds what the sources say; one that is missing does not.
    pub fn is_current(&self, layout: &Layout) -> bool {
        std::fs::read_to_string(layout.path(&self.file)).is_ok_and(|present| present == self.text)
    }
}

/// Every generated file.
///
/// # Errors
/// A source can't be read, or is wrong; the text names the file and the place in it.
pub fn all(layout: &Layout) -> Result<Vec<Generated>> {
    let mut parts = Vec::new();
    for name in names(layout, PARTS, ".yaml")? {
        let file = format!("{PARTS}/{name}");
        let text = read(layout, &file)?;
        parts.push((file, text));
    }
    let template = template::assemble(&parts, |file| read(layout, file))?;
    let mut generated = vec![Generated {
        file: "template.yaml".to_owned(),
        text: TEMPLATE_HEAD.to_owned() + &template,
    }];
    let blocks = machine::blocks(BLOCKS, &read(layout, BLOCKS)?)?;
    for name in names(layout, MACHINES, ".asl.yaml")? {
        let file = format!("{MACHINES}/{name}");
        generated.push(Generated {
            text: machine::machine(&file, &read(layout, &file)?, &blocks)?,
            file: format!("statemachines/{}", name.replace(".asl.yaml", ".asl.json")),
        });
    }
    Ok(generated)
}

/// How many generated files there are, all of which are what their sources say.
///
/// # Errors
/// One is not.
pub fn check(layout: &Layout) -> Result<usize> {
    let generated = all(layout)?;
    let stale: Vec<&str> = generated
        .iter()
        .filter(|it| !it.is_current(layout))
        .map(|it| it.file.as_str())
        .collect();
    if !stale.is_empty() {
        bail!(
            "not what the sources in {PARTS} and {MACHINES} say: {}. Change the sources; `cargo xtask generate` writes \
             the files anew",
            stale.join(", ")
        );
    }
    Ok(generated.len())
}

/// The names of a folder's files with a suffix, in order.
fn names(layout: &Layout, folder: &str, suffix: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(layout.path(folder)).with_context(|| format!("cannot read {folder}"))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(suffix))
        .collect();
    names.sort();
    Ok(names)
}

fn read(layout: &Layout, file: impl AsRef<Path>) -> Result<String> {
    let file = file.as_ref();
    std::fs::read_to_string(layout.path(file)).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(layout: &Layout, file: &str, text: &str) {
        let path = layout.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_file_that_was_changed_by_hand_or_whose_source_was_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_path_buf(), "stack");
        write(&layout, "infra/platform/bucket.yaml", "Resources:\n  Bucket: 1\n");
        write(&layout, BLOCKS, "Retry: {}\n");
        write(&layout, "statemachines/src/a.asl.yaml", "States: {}\n");

        let missing = check(&layout).unwrap_err().to_string();
        assert!(missing.contains("template.yaml, statemachines/a.asl.json"), "{missing}");
        for generated in all(&layout).unwrap() {
            write(&layout, &generated.file, &generated.text);
        }
        assert_eq!(check(&layout).unwrap(), 2);

        write(&layout, "statemachines/a.asl.json", "{}\n");
        let changed = check(&layout).unwrap_err().to_string();
        assert!(
            changed.contains("statemachines/a.asl.json") && !changed.contains("template.yaml"),
            "{changed}"
        );
        write(&layout, "infra/platform/bucket.yaml", "Resources:\n  Bucket: 2\n");
        assert!(check(&layout).unwrap_err().to_string().contains("template.yaml"));
    }

    #[test]
    fn the_checkouts_files_are_what_their_sources_say() {
        check(&Layout::new("stack")).unwrap();
    }
}
