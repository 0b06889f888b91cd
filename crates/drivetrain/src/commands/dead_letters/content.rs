//! What a dead letter holds: which function was to be called with which event, and why the call failed.

use serde::Serialize;
use serde_json::Value;

/// The content of a letter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Content {
    /// ARN of the function to call; `None` when the letter does not name one.
    pub function: Option<String>,
    /// The event to call it with.
    pub event: Value,
    /// A short description of the event.
    pub what: String,
    /// Why the letter is in the queue.
    pub reason: String,
}

/// Reads the body of a letter from either queue.
pub(super) fn content(body: &str, attribute: impl Fn(&str) -> Option<String>) -> Content {
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    // Lambda's record of a call that failed at every attempt.
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
            // The ARN may end in a version, `function:name:$LATEST`; the next call goes to the function itself.
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

/// A short description of an event and its subject.
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
        // The record of a timeout has no `responsePayload`.
        let timed_out = json!({"requestContext": {"functionArn": arn, "condition": "RetriesExhausted"}});
        assert_eq!(content(&timed_out.to_string(), |_| None).reason, "RetriesExhausted");
        assert_eq!(content("no JSON", |_| None).function, None);
    }
}
