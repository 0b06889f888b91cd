//! The common parts of all List operations: filters, order, pages.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::request::parse;

/// A resource in the form that List operations use.
pub struct Listed {
    pub name: String,
    /// `None` for resources without a status (models, endpoint configurations).
    pub status: Option<&'static str>,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// The summary for the answer.
    pub summary: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum SortOrder {
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Default, Deserialize)]
enum SortBy {
    Name,
    #[default]
    CreationTime,
    Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListRequest {
    next_token: Option<String>,
    max_results: Option<usize>,
    creation_time_after: Option<f64>,
    creation_time_before: Option<f64>,
    last_modified_time_after: Option<f64>,
    last_modified_time_before: Option<f64>,
    name_contains: Option<String>,
    status_equals: Option<String>,
    sort_by: Option<SortBy>,
    sort_order: Option<SortOrder>,
}

const DEFAULT_MAX_RESULTS: usize = 10;

/// The page of `items` that a List request asks for, under `key`, with `NextToken` if more items follow.
///
/// # Errors
/// `ValidationException` for a token that was never returned, or a filter that is not implemented.
pub fn page(request: &Value, key: &str, default_order: SortOrder, mut items: Vec<Listed>) -> Result<Value, ApiError> {
    let request: ListRequest = parse(request, &[])?;
    items.retain(|item| request.keeps(item));
    match request.sort_by.unwrap_or_default() {
        SortBy::Name => items.sort_by(|a, b| a.name.cmp(&b.name)),
        SortBy::CreationTime => items.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name))),
        SortBy::Status => items.sort_by(|a, b| (a.status, &a.name).cmp(&(b.status, &b.name))),
    }
    if request.sort_order.unwrap_or(default_order) == SortOrder::Descending {
        items.reverse();
    }

    // A token is the number of items returned so far.
    let given = match &request.next_token {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| ApiError::validation("The pagination token in the request is not valid."))?,
    };
    let total = items.len();
    let size = request.max_results.unwrap_or(DEFAULT_MAX_RESULTS);
    let summaries: Vec<Value> = items
        .into_iter()
        .skip(given)
        .take(size)
        .map(|item| item.summary)
        .collect();
    let next = given.saturating_add(summaries.len());
    let mut answer = json!({ key: summaries });
    if next < total {
        answer["NextToken"] = Value::from(next.to_string());
    }
    Ok(answer)
}

impl ListRequest {
    fn keeps(&self, item: &Listed) -> bool {
        let name_fits = self
            .name_contains
            .as_ref()
            .is_none_or(|part| item.name.to_lowercase().contains(&part.to_lowercase()));
        name_fits
            && self
                .status_equals
                .as_deref()
                .is_none_or(|wanted| item.status == Some(wanted))
            && within(item.created, self.creation_time_after, self.creation_time_before)
            && within(
                item.modified,
                self.last_modified_time_after,
                self.last_modified_time_before,
            )
    }
}

fn within(time: Timestamp, after: Option<f64>, before: Option<f64>) -> bool {
    let seconds = time.as_duration().as_secs_f64();
    after.is_none_or(|after| seconds >= after) && before.is_none_or(|before| seconds <= before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<Listed> {
        [
            ("cars-a", "Completed", 10),
            ("cars-b", "Failed", 30),
            ("boats", "Completed", 20),
        ]
        .into_iter()
        .map(|(name, status, second)| Listed {
            name: name.to_owned(),
            status: Some(status),
            created: Timestamp::from_second(second).unwrap(),
            modified: Timestamp::from_second(second + 1).unwrap(),
            summary: json!(name),
        })
        .collect()
    }

    fn listed(request: &Value) -> Value {
        page(request, "Jobs", SortOrder::Ascending, items()).unwrap()["Jobs"].clone()
    }

    #[test]
    fn filters_and_orders() {
        assert_eq!(listed(&json!({})), json!(["cars-a", "boats", "cars-b"]));
        assert_eq!(
            listed(&json!({"NameContains": "CARS", "SortOrder": "Descending"})),
            json!(["cars-b", "cars-a"])
        );
        assert_eq!(
            listed(&json!({"StatusEquals": "Completed", "SortBy": "Name"})),
            json!(["boats", "cars-a"])
        );
        assert_eq!(
            listed(&json!({"CreationTimeAfter": 15, "LastModifiedTimeBefore": 25.5})),
            json!(["boats"])
        );
    }

    #[test]
    fn pages_follow_each_other_and_end() {
        let first = page(&json!({"MaxResults": 2}), "Jobs", SortOrder::Ascending, items()).unwrap();
        let rest = json!({"MaxResults": 2, "NextToken": first["NextToken"]});
        let second = page(&rest, "Jobs", SortOrder::Ascending, items()).unwrap();
        assert_eq!(first["Jobs"], json!(["cars-a", "boats"]));
        assert_eq!(second, json!({"Jobs": ["cars-b"]}));
        assert!(page(&json!({"NextToken": "x"}), "Jobs", SortOrder::Ascending, items()).is_err());
    }
}
