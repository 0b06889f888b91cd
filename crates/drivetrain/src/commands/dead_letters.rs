//! `dead-letters`: what could not be delivered, or made a function fail for good; listed, shown, and called again.
//!
//! Two queues of the template keep it for 14 days: events that EventBridge could not deliver, whose body is the event
//! itself, and calls that have failed at every attempt, whose body is Lambda's record of the call.

use crate::target::{Platform, Target, describe};
use crate::{Context as Asked, ui};
use anyhow::{Context, Result, bail};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

/// SQS gives so many messages in one answer.
const PAGE: i32 = 10;
/// A message that was read is hidden from others for so long; it is given back as soon as we are done.
const HIDDEN_S: i32 = 120;
/// So many answers in a row without anything new: there is no more.
const EMPTY_ANSWERS: u32 = 3;

/// List, show and redrive what could not be delivered or made a function fail for good.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain dead-letters                        all of them, the oldest first\n  \
    drivetrain dead-letters show 3f0c              what it holds, by the beginning of its id\n  \
    drivetrain dead-letters redrive 3f0c           call its function again, and remove it\n  \
    drivetrain dead-letters redrive --all\n  \
    drivetrain dead-letters purge 3f0c             remove it: nothing is called")]
pub struct DeadLetters {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All of them, the oldest first
    List,
    /// One of them, whole
    Show {
        /// Its id, or how it begins
        id: String,
    },
    /// Call the function again with the same event, asynchronously, and remove the letter
    Redrive(Chosen),
    /// Remove without calling anything
    Purge(Chosen),
}

#[derive(Debug, Args)]
struct Chosen {
    /// Its id, or how it begins
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

/// A letter, and the queue it lies in.
#[derive(Debug, Serialize)]
struct Letter {
    queue: String,
    #[serde(skip)]
    receipt: String,
    id: String,
    sent_at: String,
    #[serde(flatten)]
    content: Content,
}

/// What a letter says.
#[derive(Debug, PartialEq, Serialize)]
struct Content {
    /// The function to call; none when the letter does not say.
    function: Option<String>,
    /// What to call it with.
    event: Value,
    /// What the event is, in a word.
    what: String,
    /// Why it lies here.
    reason: String,
}

impl DeadLetters {
    /// Does what is asked for.
    ///
    /// # Errors
    /// The stack can't be reached, no letter has that id, or a function can't be called: what was not called stays.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let target = match &self.action {
            None | Some(Action::List | Action::Show { .. }) => context.target().await?,
            Some(Action::Redrive(_) | Action::Purge(_)) => context.target_to_change().await?,
        };
        let platform = target.platform().await?;
        let letters = receive_all(&target, &platform).await?;
        let outcome = self.act(context, &target, &letters).await;
        // What is still there can be read by the next command at once.
        for letter in &letters {
            let request = target.sqs().change_message_visibility().queue_url(&letter.queue);
            // One that was removed has no visibility any more.
            let _ = request
                .receipt_handle(&letter.receipt)
                .visibility_timeout(0)
                .send()
                .await;
        }
        outcome
    }

    async fn act(&self, context: &Asked, target: &Target, letters: &[Letter]) -> Result<()> {
        match &self.action {
            None | Some(Action::List) => context.show(&letters, |letters| table(letters)),
            Some(Action::Show { id }) => {
                let letter = one(letters, id)?;
                let event = serde_json::to_string_pretty(&letter.content.event)?;
                context.show(letter, |it| format!("{}\n{}\n\n{event}", it.id, it.content.reason))
            }
            Some(Action::Redrive(chosen)) => {
                let chosen = chosen.of(letters)?;
                for letter in &chosen {
                    redrive(target, letter).await?;
                    remove(target, letter).await?;
                    ui::say(&format!("{} called again: {}", letter.id, letter.content.what));
                }
                context.show(&chosen, |all| counted(all, "called again"))
            }
            Some(Action::Purge(chosen)) => {
                let chosen = chosen.of(letters)?;
                for letter in &chosen {
                    remove(target, letter).await?;
                    ui::say(&format!("{} removed: {}", letter.id, letter.content.what));
                }
                context.show(&chosen, |all| counted(all, "removed"))
            }
        }
    }
}

fn counted(letters: &[&Letter], what: &str) -> String {
    let count = contracts::words::counted(letters.len() as u64, "dead letter", "dead letters");
    format!("{count} {what}")
}

impl Chosen {
    fn of<'a>(&self, letters: &'a [Letter]) -> Result<Vec<&'a Letter>> {
        match &self.id {
            Some(id) => Ok(vec![one(letters, id)?]),
            None => Ok(letters.iter().collect()),
        }
    }
}

fn one<'a>(letters: &'a [Letter], id: &str) -> Result<&'a Letter> {
    let mut found = letters.iter().filter(|letter| letter.id.starts_with(id));
    match (found.next(), found.next()) {
        (Some(letter), None) => Ok(letter),
        (None, _) => bail!("no dead letter has an id that begins with `{id}`; `drivetrain dead-letters` lists them"),
        (Some(_), Some(_)) => bail!("several dead letters have ids that begin with `{id}`: name more of it"),
    }
}

fn table(letters: &[Letter]) -> String {
    if letters.is_empty() {
        return "No dead letters.\n".to_owned();
    }
    let mut rows = vec![
        ["id", "since", "function", "event", "reason"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for letter in letters {
        let content = &letter.content;
        let function = content.function.as_deref().and_then(|arn| arn.split(':').nth(6));
        let reason = contracts::notice::plain(&content.reason).chars().take(80).collect();
        rows.push(vec![
            letter.id.chars().take(8).collect(),
            letter.sent_at.clone(),
            function.unwrap_or("unknown").to_owned(),
            contracts::notice::plain(&content.what),
            reason,
        ]);
    }
    ui::table(&rows)
}

/// How many letters there are, about.
///
/// # Errors
/// SQS refuses.
pub(crate) async fn count(target: &Target, platform: &Platform) -> Result<u64> {
    let wanted = [
        QueueAttributeName::ApproximateNumberOfMessages,
        // Somebody is looking at them just now.
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let mut count = 0;
    for queue in [&platform.undelivered_events_url, &platform.function_failures_url] {
        let request = target.sqs().get_queue_attributes().queue_url(queue);
        let answer = request.set_attribute_names(Some(wanted.to_vec())).send().await;
        let answer = answer.map_err(|error| describe("GetQueueAttributes", error))?;
        let numbers = answer.attributes().into_iter().flat_map(|all| all.values());
        count += numbers.filter_map(|number| number.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(count)
}

/// Every letter of both queues, the oldest first.
async fn receive_all(target: &Target, platform: &Platform) -> Result<Vec<Letter>> {
    let mut letters: Vec<Letter> = Vec::new();
    for queue in [&platform.undelivered_events_url, &platform.function_failures_url] {
        let mut empty = 0;
        while empty < EMPTY_ANSWERS {
            let request = target.sqs().receive_message().queue_url(queue);
            let request = request.max_number_of_messages(PAGE).visibility_timeout(HIDDEN_S);
            let request = request
                .wait_time_seconds(0)
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
            let answer = request
                .send()
                .await
                .map_err(|error| describe("ReceiveMessage", error))?;
            let messages = answer.messages.unwrap_or_default();
            empty = if messages.is_empty() { empty + 1 } else { 0 };
            for message in messages {
                let letter = letter(queue, &message)?;
                if !letters.iter().any(|known| known.id == letter.id) {
                    letters.push(letter);
                }
            }
        }
    }
    letters.sort_by(|one, other| one.sent_at.cmp(&other.sent_at));
    Ok(letters)
}

fn letter(queue: &str, message: &Message) -> Result<Letter> {
    let sent = message
        .attributes()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::SentTimestamp));
    let sent = sent.and_then(|ms| jiff::Timestamp::from_millisecond(ms.parse().ok()?).ok());
    let attribute = |name: &str| {
        let found = message.message_attributes().and_then(|attributes| attributes.get(name));
        found.and_then(|value| value.string_value()).map(str::to_owned)
    };
    Ok(Letter {
        queue: queue.to_owned(),
        receipt: message.receipt_handle().context("SQS gave no receipt")?.to_owned(),
        id: message.message_id().context("SQS gave no id")?.to_owned(),
        sent_at: sent.unwrap_or_default().strftime("%F %T UTC").to_string(),
        content: content(message.body().unwrap_or_default(), attribute),
    })
}

/// What the body of a letter of either queue says.
fn content(body: &str, attribute: impl Fn(&str) -> Option<String>) -> Content {
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

async fn redrive(target: &Target, letter: &Letter) -> Result<()> {
    let function = letter.content.function.as_deref();
    let function = function.with_context(|| format!("letter {} names no function: purge it", letter.id))?;
    let call = target.lambda().invoke().function_name(function);
    let call = call.invocation_type(InvocationType::Event);
    let answer = call.payload(Blob::new(letter.content.event.to_string())).send().await;
    answer.map_err(|error| describe(&format!("Invoke {function}"), error))?;
    Ok(())
}

async fn remove(target: &Target, letter: &Letter) -> Result<()> {
    let request = target.sqs().delete_message().queue_url(&letter.queue);
    let answer = request.receipt_handle(&letter.receipt).send().await;
    answer.map_err(|error| describe("DeleteMessage", error))?;
    Ok(())
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
