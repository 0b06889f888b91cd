use super::*;
use crate::target::Platform;
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// A letter in a fake queue, which hides what is received.
#[derive(Debug)]
struct InQueue {
    queue: &'static str,
    id: String,
    hidden: bool,
}

/// Two fake SQS queues with the operations needed here.
#[derive(Clone, Debug, Default)]
struct Queues(Arc<Mutex<Vec<InQueue>>>, Arc<AtomicBool>);

impl Queues {
    fn put(&self, queue: &'static str, id: &str, hidden: bool) {
        let id = id.to_owned();
        self.0.lock().unwrap().push(InQueue { queue, id, hidden });
    }

    /// Makes answers take a while to arrive.
    fn slow(&self) {
        self.1.store(true, Ordering::Relaxed);
    }

    /// The letters, and whether each is hidden.
    fn found(&self) -> Vec<(String, bool)> {
        let letters = self.0.lock().unwrap();
        letters.iter().map(|it| (it.id.clone(), it.hidden)).collect()
    }

    fn serve(&self, aws: &FakeAws) {
        let at = |queues: &Self| queues.0.clone();
        let letters = at(self);
        aws.on("GetQueueAttributes", move |request| {
            let letters = letters.lock().unwrap();
            let url = request.json()["QueueUrl"].clone();
            let count = |hidden| {
                letters
                    .iter()
                    .filter(|it| url == it.queue && it.hidden == hidden)
                    .count()
            };
            Reply::json(
                200,
                json!({"Attributes": {
                    "ApproximateNumberOfMessages": count(false).to_string(),
                    "ApproximateNumberOfMessagesNotVisible": count(true).to_string(),
                    "VisibilityTimeout": "45",
                }}),
            )
        });
        let (letters, slow) = (at(self), self.1.clone());
        aws.on("ReceiveMessage", move |request| {
            let mut letters = letters.lock().unwrap();
            let url = request.json()["QueueUrl"].clone();
            let free = letters.iter_mut().filter(|it| url == it.queue && !it.hidden).take(1);
            let messages: Vec<Value> = free
                .map(|it| {
                    it.hidden = true;
                    let body = json!({"detail-type": "Object Created"}).to_string();
                    json!({"MessageId": it.id, "ReceiptHandle": it.id, "Body": body,
                           "MessageAttributes": {"TARGET_ARN": {"DataType": "String", "StringValue": "dev-start-run"}}})
                })
                .collect();
            let reply = Reply::json(200, json!({"Messages": messages}));
            let on_its_way = Duration::from_millis(if slow.load(Ordering::Relaxed) { 5 } else { 0 });
            Reply::delayed(on_its_way, reply)
        });
        let letters = at(self);
        aws.on("ChangeMessageVisibilityBatch", move |request| {
            let entries = request.json()["Entries"].clone();
            let mut done = Vec::new();
            for entry in entries.as_array().unwrap() {
                assert_eq!(entry["VisibilityTimeout"], 0);
                let mut letters = letters.lock().unwrap();
                letters
                    .iter_mut()
                    .find(|it| entry["ReceiptHandle"] == it.id.as_str())
                    .unwrap()
                    .hidden = false;
                done.push(json!({"Id": entry["Id"]}));
            }
            Reply::json(200, json!({"Successful": done, "Failed": []}))
        });
        aws.on("ChangeMessageVisibility", |_| Reply::json(200, json!({})));
        let letters = at(self);
        aws.on("DeleteMessage", move |request| {
            let receipt = request.json()["ReceiptHandle"].clone();
            letters.lock().unwrap().retain(|it| receipt != it.id.as_str());
            Reply::json(200, json!({}))
        });
        aws.on("Invoke", |_| Reply::json(202, json!({})));
    }
}

fn platform() -> Platform {
    let other = String::new;
    Platform {
        bucket: other(),
        topic_arn: other(),
        api_id: other(),
        api_url: other(),
        api_key_id: other(),
        training_state_machine_arn: other(),
        scoring_state_machine_arn: other(),
        monitor_state_machine_arn: other(),
        undelivered_events_url: "http://sqs/undelivered".to_owned(),
        function_failures_url: "http://sqs/failures".to_owned(),
    }
}

fn stack() -> (FakeAws, Queues) {
    let (aws, queues) = (FakeAws::new(), Queues::default());
    queues.serve(&aws);
    queues.put("http://sqs/undelivered", "aa-1", false);
    queues.put("http://sqs/failures", "bb-2", false);
    (aws, queues)
}

async fn answer<S>(aws: &FakeAws, action: Action, signal: impl Fn() -> S) -> Result<Result<Answer, Interrupt>>
where
    S: Future<Output = Interrupt>,
{
    let target = Target::with_config("dev", aws.sdk_config());
    let command = DeadLetters { action: Some(action) };
    command.answer(&Mailbox::new(&target, &platform()), signal).await
}

async fn told(aws: &FakeAws, action: Action) -> Result<Answer> {
    answer(aws, action, std::future::pending).await.map(Result::unwrap)
}

fn all() -> Chosen {
    Chosen { id: None, all: true }
}

fn free(ids: &[&str]) -> Vec<(String, bool)> {
    ids.iter().map(|id| ((*id).to_owned(), false)).collect()
}

#[tokio::test]
async fn a_look_has_given_back_every_letter_before_there_is_anything_to_print() {
    let (aws, queues) = stack();
    for _ in 0..2 {
        let Answer::All(letters, missing) = told(&aws, Action::List).await.unwrap() else {
            panic!("no list");
        };
        assert_eq!(
            (letters.len(), missing),
            (
                2,
                Missing {
                    back_s: 45,
                    ..Missing::default()
                }
            )
        );
        assert_eq!(queues.found(), free(&["aa-1", "bb-2"]));
    }
    told(&aws, Action::Show { id: "aa".to_owned() }).await.unwrap();
    assert_eq!(queues.found(), free(&["aa-1", "bb-2"]));
}

#[tokio::test]
async fn an_error_gives_back_what_was_taken() {
    let (aws, queues) = stack();
    let error = told(&aws, Action::Show { id: "zz".to_owned() }).await.unwrap_err();
    assert!(error.to_string().contains("begins with `zz`"), "{error}");
    assert_eq!(queues.found(), free(&["aa-1", "bb-2"]));
    // The signal comes while letters are being received.
    aws.before("ReceiveMessage", "failures", |aws| {
        aws.fail_next("ReceiveMessage", Reply::error(403, "AccessDenied", "no"));
    });
    told(&aws, Action::List).await.unwrap_err();
    assert_eq!(queues.found(), free(&["aa-1", "bb-2"]));
    aws.fail_next("Invoke", Reply::error(403, "AccessDeniedException", "no"));
    told(&aws, Action::Redrive(all())).await.unwrap_err();
    assert_eq!(queues.found(), free(&["aa-1", "bb-2"]));
}

#[tokio::test]
async fn a_signal_ends_it_when_the_letters_are_back() {
    let (aws, queues) = stack();
    // The signal comes when SQS has hidden a letter and the answer is still on its way.
    let pressed = Arc::new(Notify::new());
    let press = pressed.clone();
    aws.before("ReceiveMessage", "", move |_| press.notify_one());
    queues.slow();
    let signal = || async {
        pressed.notified().await;
        Interrupt::ControlC
    };
    let ended = answer(&aws, Action::Redrive(all()), signal).await.unwrap();
    assert_eq!(ended.unwrap_err(), Interrupt::ControlC);
    assert_eq!(queues.found(), free(&["aa-1", "bb-2"]));
    assert!(aws.calls_of("Invoke").is_empty());
}

#[tokio::test]
async fn letters_that_another_look_holds_are_told_of() {
    let (aws, queues) = (FakeAws::new(), Queues::default());
    queues.serve(&aws);
    // There are no letters: nothing to do, and no error.
    let Answer::Moved(none, ..) = told(&aws, Action::Redrive(all())).await.unwrap() else {
        panic!("nothing was moved");
    };
    assert!(none.is_empty());
    queues.put("http://sqs/failures", "cc-3", true);
    let Answer::All(letters, missing) = told(&aws, Action::List).await.unwrap() else {
        panic!("no list");
    };
    assert_eq!(table(&letters, missing), "No dead letter could be read.\n");
    let held = "1 dead letter is held by another look just now: it is back within 45 s";
    assert_eq!(missing.in_words().as_deref(), Some(held));
    let one = Chosen {
        id: Some("cc".to_owned()),
        all: false,
    };
    for chosen in [all(), one] {
        let error = told(&aws, Action::Redrive(chosen)).await.unwrap_err().to_string();
        assert!(error.contains(held), "{error}");
    }
    assert!(aws.calls_of("Invoke").is_empty());
    // The letters that can be received are.
    queues.put("http://sqs/failures", "dd-4", false);
    let Answer::Moved(moved, _, missing) = told(&aws, Action::Redrive(all())).await.unwrap() else {
        panic!("nothing was moved");
    };
    assert_eq!((moved.len(), missing.held), (1, 1));
    assert_eq!(queues.found(), [("cc-3".to_owned(), true)]);
}
