//! The template of its parts: sections of the same name are joined as they are written, and `!File` puts a file's text in.
//!
//! Text is joined, not YAML, so that comments and the form of every line survive.

use anyhow::{Context, Result, bail};

/// The sections of a template, in the order in which people look for them.
const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Parameters",
    "Conditions",
    "Mappings",
    "Globals",
    "Resources",
    "Outputs",
];

/// `KEY: !File PATH` stands for the text of a file of the checkout.
const FILE: &str = ": !File ";

/// Joins parts, each a file and its text, to one template; `read` gives the text of a file of the checkout.
///
/// # Errors
/// A part has lines before its first section or a section that no template has, or names a file that can't be read.
pub fn assemble(parts: &[(String, String)], read: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut sections: [String; SECTIONS.len()] = Default::default();
    for (file, text) in parts {
        let mut current = None;
        for (number, line) in text.lines().enumerate() {
            let place = || format!("{file}:{}", number + 1);
            if line.starts_with(|first: char| first.is_ascii_alphabetic()) {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let Some(section) = SECTIONS.iter().position(|known| *known == name) else {
                    let known = SECTIONS.join(", ");
                    bail!("{}: `{name}` is no section of a template; there are {known}", place());
                };
                current = Some(section);
                let section = &mut sections[section];
                end_with_empty_line(section);
                if !value.is_empty() {
                    *section += &format!("{line}\n");
                } else {
                    if section.is_empty() {
                        *section += &format!("\n{name}:\n");
                    }
                    *section += &format!("  # {} {file}\n\n", "-".repeat(64));
                }
            } else if let Some(section) = current {
                sections[section] += &with_file(line, &read).with_context(place)?;
            } else if !line.is_empty() {
                bail!("{}: a part begins with a section, and comments stand in it", place());
            }
        }
    }
    let present = sections.iter().filter(|section| !section.is_empty());
    Ok(present.map(|section| section.trim_end().to_owned() + "\n").collect())
}

/// Joined pieces of a section keep one line between them.
fn end_with_empty_line(section: &mut String) {
    if !section.is_empty() {
        section.truncate(section.trim_end().len());
        *section += "\n\n";
    }
}

/// A line of a part; or, where it names a file, that file's text as a block of YAML.
fn with_file(line: &str, read: &impl Fn(&str) -> Result<String>) -> Result<String> {
    let Some((key, path)) = line.split_once(FILE) else {
        return Ok(format!("{line}\n"));
    };
    let indent = " ".repeat(key.len() - key.trim_start().len() + 2);
    let mut block = format!("{key}: |\n");
    for line in read(path)?.lines() {
        let text = format!("{indent}{line}");
        block += text.trim_end();
        block.push('\n');
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(parts: &[&str]) -> Result<String> {
        let parts: Vec<_> = ('a'..)
            .zip(parts)
            .map(|(name, text)| (format!("{name}.yaml"), (*text).to_owned()))
            .collect();
        assemble(&parts, |path| match path {
            "v.sql" => Ok("SELECT 1\n\n  FROM x\n".to_owned()),
            _ => bail!("cannot read {path}"),
        })
    }

    #[test]
    fn sections_are_joined_as_written_and_files_put_in() {
        let first = "Description: All.\nResources:\n  # Why.\n  A: !Ref B\n\n\nOutputs:\n  O: 1\n";
        let second = "Parameters:\n  P:\n    Default: ''   # None.\nResources:\n  Q:\n    Text: !File v.sql\n  R: 2\n";
        let line = "-".repeat(64);
        assert_eq!(
            made(&[first, second]).unwrap(),
            format!(
                "Description: All.

Parameters:
  # {line} b.yaml

  P:
    Default: ''   # None.

Resources:
  # {line} a.yaml

  # Why.
  A: !Ref B

  # {line} b.yaml

  Q:
    Text: |
      SELECT 1

        FROM x
  R: 2

Outputs:
  # {line} a.yaml

  O: 1
"
            )
        );
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let complaint = |part: &str| format!("{:#}", made(&[part]).unwrap_err());
        assert!(complaint("Resuorces:\n  A: 1\n").starts_with("a.yaml:1: `Resuorces` is no section"));
        assert!(complaint("# Why.\nResources:\n").starts_with("a.yaml:1: a part begins with a section"));
        assert_eq!(
            complaint("Resources:\n  A: !File w.sql\n"),
            "a.yaml:2: cannot read w.sql"
        );
    }
}
