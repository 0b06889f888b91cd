//! What a dead letter says: which function was to be called with what, and why it lies there.

use serde::Serialize;
use serde_json::Value;

/// What a letter says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Content {
    /// The function to call; none when the letter does not say.
    pub function: Option<String>,
    /// What to call it with.
    pub event: Value,
    /// What the event is, in a word.
    pub what: String,
    /// Why it lies here.
    pub reason: String,
}

/// What the body of a letter of either queue says.
pub(super) fn content(body: &str, attribute: impl Fn(&str) -> Option<String>) -> Content {
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    // Lambda's record of a call that has failed for good.
    if let Some(function) = text(&body["requestContext"]["functionArn"]) {
        let error = &body["responsePayload"];
        let reason = match (text(&error["errorType"]), text(&error["errorMessage"])) {
            (Some(kind), Some(message)) => format!("{kind}: {message}"),
            (kind, message) => kind
                .or(message)
                .or_else(|| text(&body["requestContext"]["condition"]))
                .unwrap_or_default(),
        };
        let event = body["requestPayload"].clone();
        return Content {
            // `function:name:$LATEST` names a version; the next call is of the function.
            function: Some(function.split(':').take(7).collect::<Vec<_>>().join(":")),
            what: what(&event),
            event,
            reason,
        };
    }
    let reason = [attribute("ERROR_CODE"), attribute("ERROR_MESSAGE")];
    Content {
        function: attribute("TARGET_ARN"),
        what: what(&body),
        event: body,
        reason: reason.into_iter().flatten().collect::<Vec<_>>().join(": "),
    }
}

/// An event in a word, and what it is about.
fn what(event: &Value) -> String {
    let kind = event["detail-type"].as_str().unwrap_or("direct call");
    let detail = &event["detail"];
    let about = [&detail["object"]["key"], &detail["name"], &detail["use_case"]];
    match about.into_iter().find_map(Value::as_str) {
        Some(about) => format!("{kind} {about}"),
        None => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_queues_are_read() {
        let event = json!({
            "detail-type": "Object Created",
            "detail": {"object": {"key": "cars/training/incoming/a.csv"}},
        });
        let failed = json!({
            "requestContext": {
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:dev-start-run:$LATEST",
                "condition": "RetriesExhausted",
            },
            "requestPayload": event,
            "responsePayload": {"errorType": "AwsCallFailed", "errorMessage": "GetObject failed"},
        });
        let of_function = content(&failed.to_string(), |_| None);
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:dev-start-run";
        assert_eq!(of_function.function.as_deref(), Some(arn));
        assert_eq!(of_function.what, "Object Created cars/training/incoming/a.csv");
        assert_eq!(of_function.reason, "AwsCallFailed: GetObject failed");
        let undelivered = content(&event.to_string(), |name| match name {
            "TARGET_ARN" => Some(arn.to_owned()),
            "ERROR_CODE" => Some("NO_PERMISSIONS".to_owned()),
            _ => None,
        });
        assert_eq!(undelivered.function, of_function.function);
        assert_eq!(undelivered.event, of_function.event);
        assert_eq!(undelivered.reason, "NO_PERMISSIONS");
        // A function that timed out has no payload of an answer.
        let timed_out = json!({"requestContext": {"functionArn": arn, "condition": "RetriesExhausted"}});
        assert_eq!(content(&timed_out.to_string(), |_| None).reason, "RetriesExhausted");
        assert_eq!(content("no JSON", |_| None).function, None);
    }
}
