//! Payload templates and the intrinsic functions that the machines use.

use super::{Failure, path};
use serde_json::{Map, Value};

/// Fills a template: fields whose names end in `.$` are paths or intrinsics.
pub fn fill(template: &Value, data: &Value, context: &Value) -> Result<Value, Failure> {
    match template {
        Value::Object(fields) => {
            let mut filled = Map::new();
            for (name, value) in fields {
                let (name, value) = match (name.strip_suffix(".$"), value) {
                    (Some(name), Value::String(expression)) => (name, evaluate(expression, data, context)?),
                    (Some(name), _) => {
                        let text = format!("field `{name}.$` of a template holds no text");
                        return Err(Failure::new("Interpreter.Unsupported", text));
                    }
                    (None, value) => (name.as_str(), fill(value, data, context)?),
                };
                filled.insert(name.to_owned(), value);
            }
            Ok(Value::Object(filled))
        }
        Value::Array(items) => items.iter().map(|item| fill(item, data, context)).collect(),
        plain => Ok(plain.clone()),
    }
}

/// The value of a path or an intrinsic.
pub fn evaluate(expression: &str, data: &Value, context: &Value) -> Result<Value, Failure> {
    Expression::parse(expression)?.value(data, context)
}

/// A path, or an intrinsic with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Path(String),
    Literal(Value),
    Call(String, Vec<Expression>),
}

impl Expression {
    /// Parses the text of a field whose name ends in `.$`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        if text.starts_with('$') {
            return Ok(Self::Path(text.to_owned()));
        }
        let mut parser = Parser { rest: text };
        let call = parser.call()?;
        if parser.rest.trim().is_empty() {
            Ok(call)
        } else {
            Err(parser.broken("text after the intrinsic"))
        }
    }

    /// All paths in the expression.
    #[cfg(test)]
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::Path(path) => vec![path],
            Self::Literal(_) => Vec::new(),
            Self::Call(_, arguments) => arguments.iter().flat_map(Self::paths).collect(),
        }
    }

    /// The expression's value.
    pub fn value(&self, data: &Value, context: &Value) -> Result<Value, Failure> {
        match self {
            Self::Path(path) => path::get(path, data, context),
            Self::Literal(value) => Ok(value.clone()),
            Self::Call(name, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(data, context));
                apply(name, &values.collect::<Result<Vec<_>, _>>()?)
            }
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn call(&mut self) -> Result<Expression, Failure> {
        let (name, rest) = self.rest.split_once('(').ok_or_else(|| self.broken("no call"))?;
        let name = name.trim().to_owned();
        self.rest = rest;
        let mut arguments = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return Ok(Expression::Call(name, arguments));
            }
            if !arguments.is_empty() {
                let rest = self.rest.strip_prefix(',').ok_or_else(|| self.broken("no comma"))?;
                self.rest = rest.trim_start();
            }
            arguments.push(self.argument()?);
        }
    }

    fn argument(&mut self) -> Result<Expression, Failure> {
        if let Some(rest) = self.rest.strip_prefix('\'') {
            return self.text(rest);
        }
        if self.rest.starts_with("States.") {
            return self.call();
        }
        let end = self.rest.find([',', ')']).ok_or_else(|| self.broken("no end"))?;
        let (word, rest) = self.rest.split_at(end);
        let word = word.trim();
        let argument = if word.starts_with('$') {
            Expression::Path(word.to_owned())
        } else {
            let literal = serde_json::from_str(word);
            Expression::Literal(literal.map_err(|_| self.broken("an argument that is no literal"))?)
        };
        self.rest = rest;
        Ok(argument)
    }

    fn text(&mut self, rest: &str) -> Result<Expression, Failure> {
        let mut text = String::new();
        let mut characters = rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\'' => {
                    let begin = self.rest.len() - rest.len();
                    self.rest = &self.rest[begin + at + 1..];
                    return Ok(Expression::Literal(Value::String(text)));
                }
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                plain => text.push(plain),
            }
        }
        Err(self.broken("text without an end"))
    }

    fn broken(&self, what: &str) -> Failure {
        Failure::new("Interpreter.Unsupported", format!("{what} at `{}`", self.rest))
    }
}

fn apply(name: &str, arguments: &[Value]) -> Result<Value, Failure> {
    let value = match (name, arguments) {
        ("States.Format", [Value::String(template), values @ ..]) => format(template, values),
        ("States.JsonToString", [value]) => Some(Value::String(value.to_string())),
        ("States.StringToJson", [Value::String(text)]) => serde_json::from_str(text).ok(),
        ("States.MathAdd", [one, other]) => one.as_i64().zip(other.as_i64()).map(|(a, b)| (a + b).into()),
        ("States.Array", values) => Some(values.into()),
        ("States.ArrayLength", [Value::Array(items)]) => Some(items.len().into()),
        ("States.ArrayContains", [Value::Array(items), wanted]) => Some(items.contains(wanted).into()),
        ("States.ArrayGetItem", [Value::Array(items), index]) => index
            .as_u64()
            .and_then(|index| items.get(usize::try_from(index).ok()?).cloned()),
        ("States.StringSplit", [Value::String(text), Value::String(splitter)]) => {
            let parts = text.split(|c| splitter.contains(c)).filter(|part| !part.is_empty());
            Some(parts.collect::<Vec<_>>().into())
        }
        _ => {
            let text = format!("the intrinsic {name} with {} arguments", arguments.len());
            return Err(Failure::new("Interpreter.Unsupported", text));
        }
    };
    value.ok_or_else(|| {
        let shown = Value::from(arguments.to_vec());
        Failure::new("States.IntrinsicFailure", format!("{name} can't be applied to {shown}"))
    })
}

fn format(template: &str, values: &[Value]) -> Option<Value> {
    let mut values = values.iter();
    let mut parts = template.split("{}");
    let mut text = parts.next()?.to_owned();
    for part in parts {
        match values.next()? {
            Value::String(value) => text += value,
            Value::Null => text += "null",
            plain @ (Value::Bool(_) | Value::Number(_)) => text += &plain.to_string(),
            Value::Array(_) | Value::Object(_) => return None,
        }
        text += part;
    }
    values.next().is_none().then_some(Value::String(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_are_filled_and_intrinsics_applied() {
        let data = json!({"name": "n", "arn": "arn:aws:x:y/config-1", "list": [{"d": "failed"}]});
        let context = json!({"State": {"RetryCount": 3}});
        let template = json!({
            "plain": 1,
            "a.$": "States.Format('{}-{}', $.name, $$.State.RetryCount)",
            "b": [{"c.$": "States.ArrayGetItem(States.StringSplit($.arn, '/'), 1)"}],
            "d.$": "States.ArrayContains($.list[*].d, 'failed')",
            "e.$": "States.JsonToString($.list)",
            "f.$": "States.MathAdd(1, 2)",
        });
        let filled = fill(&template, &data, &context).unwrap();
        let expected = json!({
            "plain": 1, "a": "n-3", "b": [{"c": "config-1"}], "d": true, "e": r#"[{"d":"failed"}]"#, "f": 3,
        });
        assert_eq!(filled, expected);
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let error = |text: &str| evaluate(text, &json!({}), &json!({})).unwrap_err().error;
        assert_eq!(error("States.Hash('a', 'MD5')"), "Interpreter.Unsupported");
        assert_eq!(error("States.Format('{} {}', 'a')"), "States.IntrinsicFailure");
        assert_eq!(
            error("States.ArrayGetItem(States.Array(1), 4)"),
            "States.IntrinsicFailure"
        );
        assert_eq!(error("nothing"), "Interpreter.Unsupported");
    }
}
