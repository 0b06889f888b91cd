//! `constraint_violations.json`, and the job's message about it. The entries are quoted in `drift.json`, so their type
//! is part of `drift-document`.

use drift_document::Violation;

use super::error::DocumentError;
use super::fields::Source;
use super::json::{self, Node};
use super::text::{Json, pretty};

/// The document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// The violations, in the order of the features.
    pub violations: Vec<Violation>,
}

impl Violations {
    /// Reads a file; unknown members are ignored. `name` is the name of the file for the error, which gives the place.
    pub fn parse(text: &str, name: &str) -> Result<Self, DocumentError> {
        let source = Source { text, name };
        let root = json::parse(text, name)?;
        let root = source.object(&root, "the document")?;
        let nodes = source.array(root.required("violations")?, "violations")?;
        let violations = nodes
            .iter()
            .map(|node| violation(source, node))
            .collect::<Result<_, _>>()?;
        Ok(Self { violations })
    }

    /// The text of the file, as the contract's analyzer writes it.
    pub fn to_text(&self) -> String {
        pretty(&self.to_json())
    }

    /// The document as JSON.
    pub fn to_json(&self) -> Json {
        Json::Object(vec![(
            "violations",
            Json::Array(self.violations.iter().map(to_json).collect()),
        )])
    }
}

/// The job's message at its end (`/opt/ml/output/message`), given the number of violations.
pub fn message(violations: usize) -> String {
    match violations {
        0 => "Completed: Job completed successfully with no violations.".to_owned(),
        some => format!("CompletedWithViolations: Job completed successfully with {some} violations."),
    }
}

fn violation(source: Source<'_>, node: &Node) -> Result<Violation, DocumentError> {
    let fields = source.object(node, "violations")?;
    let text = |source: Source<'_>, node: &Node, key: &str| source.text(node, key).map(str::to_owned);
    Ok(Violation {
        feature_name: fields.optional("feature_name", text)?,
        constraint_check_type: text(
            source,
            fields.required("constraint_check_type")?,
            "constraint_check_type",
        )?,
        description: text(source, fields.required("description")?, "description")?,
        metric_name: fields.optional("metric_name", text)?,
    })
}

fn to_json(violation: &Violation) -> Json {
    let members = [
        ("feature_name", violation.feature_name.as_ref()),
        ("constraint_check_type", Some(&violation.constraint_check_type)),
        ("description", Some(&violation.description)),
        ("metric_name", violation.metric_name.as_ref()),
    ];
    let members = members
        .into_iter()
        .filter_map(|(key, text)| Some((key, Json::text(text?.as_str()))));
    Json::Object(members.collect())
}

#[cfg(test)]
mod tests;
