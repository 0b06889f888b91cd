//! The JSONPath subset of `InputFilter` and `OutputFilter`: parsing it, and selecting with it.
//!
//! Accepted, as Batch Transform documents it: `$`, `.name`, `['a','b']`, `*`, `[0]`, `[-1]`, `[0,2]`, `[1:]`,
//! `[:-1]`, and indexes beside slices (`[0,5:]`). A dot before a bracket (`$.a.['b','c']`) is allowed too.
//! Filter expressions, recursive descent (`..`) and steps in slices are not part of the subset and are refused.

use std::fmt;

use serde_json::Value;

/// A parsed filter. `Display` gives an equal expression in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Every element of an array, every value of an object.
    Wildcard,
    /// Members of an object; one name descends, several make a smaller object.
    Names(Vec<String>),
    /// Elements of an array; one index descends, anything else makes an array.
    Items(Vec<Item>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// A negative index counts from the end.
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
    },
}

/// Why an expression is not a valid filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expression:?} is not a supported JSONPath: {problem} at character {position}")]
pub struct FilterError {
    expression: String,
    position: usize,
    problem: &'static str,
}

/// Why a filter does not fit a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// An index lies outside the record.
    #[error("index {index} is outside a record of {length} elements")]
    Index {
        /// As written in the filter.
        index: i64,
        /// Number of elements of the record.
        length: usize,
    },
    /// The record has no such member.
    #[error("the record has no member {0:?}")]
    Name(String),
    /// An array step was applied to something other than an array, or a name step to something other than an object.
    #[error("a record's {found} cannot be filtered by {step}")]
    Kind {
        /// The JSON type that was found.
        found: &'static str,
        /// The step, as written in an expression.
        step: String,
    },
    /// CSV rows have numbered columns only, one level deep.
    #[error("{0} does not select CSV columns: use $, $[0], $[0,2], $[1:] and the like")]
    NotColumns(String),
}

impl Filter {
    /// The whole record: `$`.
    pub fn root() -> Self {
        Self { steps: Vec::new() }
    }

    /// Parses an expression; an empty one is `$`.
    ///
    /// # Errors
    /// [`FilterError`] names the character where the expression leaves the supported subset.
    pub fn parse(expression: &str) -> Result<Self, FilterError> {
        if expression.is_empty() {
            return Ok(Self::root());
        }
        let mut parser = Parser {
            expression,
            chars: expression.chars().collect(),
            at: 0,
        };
        parser.filter()
    }

    /// Whether the filter keeps every record unchanged.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// The positions, in order, of the columns that the filter keeps of a row of `count` columns.
    ///
    /// # Errors
    /// [`SelectError::Index`] for a column that the row does not have, [`SelectError::NotColumns`] for a
    /// filter that doesn't select columns.
    pub fn columns(&self, count: usize) -> Result<Vec<usize>, SelectError> {
        match self.steps.as_slice() {
            [] | [Step::Wildcard] => Ok((0..count).collect()),
            [Step::Items(items)] => positions(items, count),
            _ => Err(SelectError::NotColumns(self.to_string())),
        }
    }

    /// Whether the filter can be applied to CSV rows at all.
    pub fn selects_columns(&self) -> bool {
        matches!(self.steps.as_slice(), [] | [Step::Wildcard | Step::Items(_)])
    }

    /// The part of `value` that the filter keeps. A path of single names and indexes gives the value that it leads to.
    /// Several names at the end give an object with these members; anything else gives an array of the selected values.
    ///
    /// # Errors
    /// [`SelectError`] when a name or index is missing, or the record doesn't have the shape that the filter
    /// expects.
    pub fn select(&self, value: &Value) -> Result<Value, SelectError> {
        let mut found = vec![value];
        let mut single = true;
        for (number, step) in self.steps.iter().enumerate() {
            if let (Step::Names(names), true) = (step, number + 1 == self.steps.len())
                && names.len() > 1
            {
                let mut objects = found
                    .iter()
                    .map(|value| members(value, names))
                    .collect::<Result<Vec<_>, _>>()?;
                return Ok(if single {
                    objects.remove(0)
                } else {
                    Value::Array(objects)
                });
            }
            let mut next = Vec::with_capacity(found.len());
            for value in found {
                next.extend(step.apply(value)?);
            }
            found = next;
            single &= step.is_single();
        }
        match found.as_slice() {
            [only] if single => Ok((*only).clone()),
            many => Ok(Value::Array(many.iter().map(|value| (*value).clone()).collect())),
        }
    }
}

impl Step {
    fn is_single(&self) -> bool {
        match self {
            Self::Wildcard => false,
            Self::Names(names) => names.len() == 1,
            Self::Items(items) => matches!(items.as_slice(), [Item::Index(_)]),
        }
    }

    fn apply<'v>(&self, value: &'v Value) -> Result<Vec<&'v Value>, SelectError> {
        match (self, value) {
            (Self::Wildcard, Value::Array(elements)) => Ok(elements.iter().collect()),
            (Self::Wildcard, Value::Object(members)) => Ok(members.values().collect()),
            (Self::Names(names), Value::Object(members)) => names
                .iter()
                .map(|name| members.get(name).ok_or_else(|| SelectError::Name(name.clone())))
                .collect(),
            (Self::Items(items), Value::Array(elements)) => Ok(positions(items, elements.len())?
                .into_iter()
                .map(|position| &elements[position])
                .collect()),
            (step, other) => Err(SelectError::Kind {
                found: kind(other),
                step: step.to_string(),
            }),
        }
    }
}

fn members(value: &Value, names: &[String]) -> Result<Value, SelectError> {
    let Value::Object(object) = value else {
        return Err(SelectError::Kind {
            found: kind(value),
            step: Step::Names(names.to_vec()).to_string(),
        });
    };
    names
        .iter()
        .map(|name| match object.get(name) {
            Some(member) => Ok((name.clone(), member.clone())),
            None => Err(SelectError::Name(name.clone())),
        })
        .collect::<Result<_, _>>()
        .map(Value::Object)
}

/// The positions that items select out of `length` elements. Slices are clipped; single indexes must exist.
fn positions(items: &[Item], length: usize) -> Result<Vec<usize>, SelectError> {
    let absolute = |index: i64| {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        if index < 0 { index.saturating_add(length) } else { index }
    };
    let clipped = |index: i64| usize::try_from(absolute(index)).unwrap_or(0).min(length);
    let mut selected = Vec::new();
    for item in items {
        match *item {
            Item::Index(index) => match usize::try_from(absolute(index)) {
                Ok(position) if position < length => selected.push(position),
                _ => return Err(SelectError::Index { index, length }),
            },
            Item::Slice { start, end } => selected.extend(start.map_or(0, clipped)..end.map_or(length, clipped)),
        }
    }
    Ok(selected)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

struct Parser<'e> {
    expression: &'e str,
    chars: Vec<char>,
    at: usize,
}

impl Parser<'_> {
    fn filter(&mut self) -> Result<Filter, FilterError> {
        if !self.take('$') {
            return Err(self.problem("a path begins with $"));
        }
        let mut steps = Vec::new();
        while self.at < self.chars.len() {
            let dotted = self.take('.');
            if self.take('[') {
                steps.push(self.brackets()?);
            } else if dotted && self.take('*') {
                steps.push(Step::Wildcard);
            } else if dotted {
                steps.push(Step::Names(vec![self.name()?]));
            } else {
                return Err(self.problem("expected . or ["));
            }
        }
        Ok(Filter { steps })
    }

    fn brackets(&mut self) -> Result<Step, FilterError> {
        self.spaces();
        let step = if self.take('*') {
            self.spaces();
            Step::Wildcard
        } else if self.chars.get(self.at) == Some(&'\'') {
            Step::Names(self.list(Self::quoted)?)
        } else {
            Step::Items(self.list(Self::item)?)
        };
        if self.take(']') {
            Ok(step)
        } else {
            Err(self.problem("expected ]"))
        }
    }

    fn list<T>(&mut self, one: fn(&mut Self) -> Result<T, FilterError>) -> Result<Vec<T>, FilterError> {
        let mut list = Vec::new();
        loop {
            self.spaces();
            list.push(one(self)?);
            self.spaces();
            if !self.take(',') {
                return Ok(list);
            }
        }
    }

    fn name(&mut self) -> Result<String, FilterError> {
        let name = self.while_true(|c| !matches!(c, '.' | '[' | ']' | '\'' | '"' | ',' | '*' | '(' | ')' | '@' | '?'));
        if name.is_empty() {
            Err(self.problem("expected a name"))
        } else {
            Ok(name)
        }
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        if !self.take('\'') {
            return Err(self.problem("expected a name in single quotes"));
        }
        let name = self.while_true(|c| c != '\'');
        if self.take('\'') {
            Ok(name)
        } else {
            Err(self.problem("a name's quote is not closed"))
        }
    }

    fn item(&mut self) -> Result<Item, FilterError> {
        let start = self.number()?;
        self.spaces();
        if self.take(':') {
            self.spaces();
            let end = self.number()?;
            return Ok(Item::Slice { start, end });
        }
        start
            .map(Item::Index)
            .ok_or_else(|| self.problem("expected an index, a slice, * or a quoted name"))
    }

    fn number(&mut self) -> Result<Option<i64>, FilterError> {
        let from = self.at;
        let sign = if self.take('-') { "-" } else { "" };
        let digits = self.while_true(|c| c.is_ascii_digit());
        if digits.is_empty() && sign.is_empty() {
            return Ok(None);
        }
        match format!("{sign}{digits}").parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => {
                self.at = from;
                Err(self.problem("not a whole number"))
            }
        }
    }

    fn while_true(&mut self, accept: impl Fn(char) -> bool) -> String {
        let taken: String = self.chars[self.at..].iter().take_while(|c| accept(**c)).collect();
        self.at += taken.chars().count();
        taken
    }

    fn spaces(&mut self) {
        self.while_true(|c| c == ' ');
    }

    fn take(&mut self, wanted: char) -> bool {
        let here = self.chars.get(self.at) == Some(&wanted);
        self.at += usize::from(here);
        here
    }

    fn problem(&self, problem: &'static str) -> FilterError {
        FilterError {
            expression: self.expression.to_owned(),
            position: self.at + 1,
            problem,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.steps.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = match self {
            Self::Wildcard => "*".to_owned(),
            Self::Names(names) => names
                .iter()
                .map(|name| format!("'{name}'"))
                .collect::<Vec<_>>()
                .join(","),
            Self::Items(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        };
        write!(f, "[{list}]")
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bound: Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        match *self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Slice { start, end } => write!(f, "{}:{}", text(start), text(end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn select(filter: &str, value: &Value) -> Result<Value, SelectError> {
        Filter::parse(filter).unwrap().select(value)
    }

    fn columns(filter: &str, count: usize) -> Result<Vec<usize>, SelectError> {
        Filter::parse(filter).unwrap().columns(count)
    }

    #[test]
    fn columns_of_a_row() {
        assert_eq!(columns("$", 3), Ok(vec![0, 1, 2]));
        assert_eq!(columns("", 2), Ok(vec![0, 1]));
        assert_eq!(columns("$[0]", 3), Ok(vec![0]));
        assert_eq!(columns("$[-1]", 3), Ok(vec![2]));
        assert_eq!(columns("$[1:]", 3), Ok(vec![1, 2]));
        assert_eq!(columns("$[:-1]", 3), Ok(vec![0, 1]));
        assert_eq!(columns("$[0,-1]", 4), Ok(vec![0, 3]));
        assert_eq!(columns("$[0,5:]", 7), Ok(vec![0, 5, 6]));
        assert_eq!(columns("$[ 2 , 0 ]", 3), Ok(vec![2, 0]));
        assert_eq!(columns("$[5:]", 3), Ok(vec![]));
        assert_eq!(columns("$[2:1]", 3), Ok(vec![]));
        assert_eq!(columns("$[3]", 3), Err(SelectError::Index { index: 3, length: 3 }));
        assert_eq!(columns("$[-4]", 3), Err(SelectError::Index { index: -4, length: 3 }));
        assert!(matches!(columns("$.id", 3), Err(SelectError::NotColumns(_))));
    }

    #[test]
    fn parts_of_a_json_record() {
        let record = json!({"id": 7, "a": {"b": [1, 2, 3], "c": "x"}, "list": [{"p": 1}, {"p": 2}]});
        assert_eq!(select("$", &record), Ok(record.clone()));
        assert_eq!(select("$.a.b", &record), Ok(json!([1, 2, 3])));
        assert_eq!(select("$['a']['c']", &record), Ok(json!("x")));
        assert_eq!(select("$['id','a']", &record), Ok(json!({"id": 7, "a": record["a"]})));
        assert_eq!(select("$.a.['b','c']", &record), Ok(record["a"].clone()));
        assert_eq!(select("$.a.b[-1]", &record), Ok(json!(3)));
        assert_eq!(select("$.a.b[1:]", &record), Ok(json!([2, 3])));
        assert_eq!(select("$.list[*].p", &record), Ok(json!([1, 2])));
        assert_eq!(select("$.list.*.p", &record), Ok(json!([1, 2])));
        assert_eq!(select("$.missing", &record), Err(SelectError::Name("missing".into())));
        assert!(matches!(
            select("$.id.x", &record),
            Err(SelectError::Kind { found: "number", .. })
        ));
    }

    #[test]
    fn what_is_no_filter() {
        for expression in [
            "id",
            "$..id",
            "$.",
            "$[",
            "$[]",
            "$[1",
            "$['a",
            "$[a]",
            "$[1:2:3]",
            "$[?(@.a)]",
            "$x",
            "$[-]",
        ] {
            assert!(Filter::parse(expression).is_err(), "{expression} was accepted");
        }
        let problem = Filter::parse("$[99999999999999999999]").unwrap_err().to_string();
        assert!(problem.contains("not a whole number at character 3"), "{problem}");
    }

    fn filters() -> impl Strategy<Value = Filter> {
        let item = prop_oneof![
            any::<i64>().prop_map(Item::Index),
            (any::<Option<i64>>(), any::<Option<i64>>()).prop_map(|(start, end)| Item::Slice { start, end }),
        ];
        let step = prop_oneof![
            Just(Step::Wildcard),
            prop::collection::vec("[^']{0,6}", 1..4).prop_map(Step::Names),
            prop::collection::vec(item, 1..4).prop_map(Step::Items),
        ];
        prop::collection::vec(step, 0..4).prop_map(|steps| Filter { steps })
    }

    proptest! {
        #[test]
        fn what_is_displayed_parses_to_the_same(filter in filters()) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }

        #[test]
        fn no_text_panics(text in r"\$?[\PC]{0,20}", count in 0usize..5) {
            if let Ok(filter) = Filter::parse(&text) {
                let _ = filter.columns(count);
                let _ = filter.select(&json!({"a": [1, {"b": 2}]}));
            }
        }

        #[test]
        fn columns_exist_and_agree_with_json(filter in filters(), count in 0usize..6) {
            if let Ok(columns) = filter.columns(count) {
                prop_assert!(columns.iter().all(|column| *column < count));
                let row = Value::Array((0..count).map(Value::from).collect());
                let selected = filter.select(&row).unwrap();
                let expected = columns.iter().map(|column| json!(column)).collect::<Vec<_>>();
                prop_assert!(selected == json!(expected) || [selected] == expected.as_slice());
            }
        }
    }
}
