//! What every page has in common: its frame, its style, and how its templates are filled.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::text;

/// What a page says about itself.
#[derive(Clone, Debug)]
pub struct About {
    /// The heading: `used-car-price`.
    pub title: String,
    /// Below it: `Data quality of 2026-11-22`. May be empty.
    pub subtitle: String,
    /// When the page was made.
    pub generated_at: Timestamp,
    /// Text and address of what belongs to it. An address that is neither relative nor `https:` or `http:` is shown
    /// as text, because it is either of no use in a browser (`s3:`) or dangerous (`javascript:`).
    pub links: Vec<(String, String)>,
}

/// A page that could not be made. The templates are part of the program, so it is a mistake of the program.
#[derive(Debug)]
pub struct Error(minijinja::Error);

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a template of the report is wrong: {:#}", self.0)
    }
}

impl std::error::Error for Error {}

impl From<minijinja::Error> for Error {
    fn from(error: minijinja::Error) -> Self {
        Self(error)
    }
}

/// The page of a template and its content.
///
/// `templates` are names and texts; the first is the page and extends `page.html`. Names must end in `.html`:
/// that is what switches the escaping on. The content's numbers for people are texts already, so that JSON, through
/// which it passes, has nothing to lose. `data` is JSON for a script, escaped where it is made: no template escapes it.
pub(crate) fn render(
    about: &About,
    templates: &[(&'static str, &'static str)],
    content: &impl Serialize,
    data: Option<&str>,
) -> Result<String, Error> {
    let mut environment = Environment::new();
    // A misspelt name in a template is an error, not a gap in the page.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("page.html", include_str!("page.html"))?;
    environment.add_template("parts.html", include_str!("parts.html"))?;
    environment.add_template("page.css", include_str!("page.css"))?;
    environment.add_template("page.js", include_str!("page.js"))?;
    for (name, source) in templates {
        environment.add_template(name, source)?;
    }
    let frame = Frame {
        title: text::shown(&about.title),
        subtitle: if about.subtitle.is_empty() {
            String::new()
        } else {
            text::shown(&about.subtitle)
        },
        instant: about.generated_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        generated_at: about.generated_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        links: about.links.iter().map(|(text, address)| link(text, address)).collect(),
    };
    let name = templates.first().map_or("page.html", |(name, _)| *name);
    let data = Value::from_safe_string(data.unwrap_or_default().to_owned());
    let values = context! { page => value(&frame)?, content => value(content)?, data };
    Ok(environment.get_template(name)?.render(values)?)
}

fn value(content: &impl Serialize) -> Result<Value, Error> {
    let json = serde_json::to_value(content)
        .map_err(|error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    Ok(from_json(json))
}

fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(truth),
        serde_json::Value::Number(number) => match number.as_u64() {
            Some(whole) => Value::from(whole),
            None => number.as_f64().map_or(Value::from(()), Value::from),
        },
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(values) => values.into_iter().map(from_json).collect(),
        serde_json::Value::Object(entries) => entries
            .into_iter()
            .map(|(name, value)| (name, from_json(value)))
            .collect::<BTreeMap<_, _>>()
            .into(),
    }
}

/// What `page.html` shows of `About`.
#[derive(Serialize)]
struct Frame<'a> {
    title: String,
    subtitle: String,
    instant: String,
    generated_at: String,
    links: Vec<Link<'a>>,
}

/// An entry of `About::links`.
#[derive(Serialize)]
struct Link<'a> {
    text: String,
    address: &'a str,
    /// It is safe and of use to follow it.
    follow: bool,
}

fn link<'a>(text: &str, address: &'a str) -> Link<'a> {
    let scheme = address
        .split_once(':')
        .map(|(scheme, _)| scheme.trim().to_ascii_lowercase());
    let follow = match scheme.as_deref() {
        None | Some("https" | "http") => true,
        // `report.html#a:b` is relative: what stands before the colon cannot be a scheme.
        Some(other) => other.contains(['/', '?', '#']),
    };
    Link {
        text: text::shown(text),
        address,
        follow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_for_browsers_are_followed() {
        for address in [
            "https://example.org/a",
            "HTTP://example.org",
            "statistics.json",
            "a/b#c:d",
            "?x=1:2",
        ] {
            assert!(link("text", address).follow, "{address}");
        }
        for address in [
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "data:text/html,x",
            "s3://bucket/key",
        ] {
            assert!(!link("text", address).follow, "{address}");
        }
        // Browsers ignore line ends within a scheme.
        assert!(!link("text", "java\nscript:alert(1)").follow);
    }
}
