//! The two dead-letter queues: letters are received in order to be read, and are always given back.
//!
//! SQS has no way to look at a message without changing anything: a message that is received is hidden from everybody
//! else for a while. So a look receives all letters, remembers each as soon as it arrives, and gives them back before
//! anything is printed.

use super::content::{Content, content};
use crate::target::{Platform, Target, describe};
use crate::ui;
use anyhow::{Context, Result};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use contracts::words::counted;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SQS hands out at most this many messages per call, and takes at most this many back.
const PAGE: i32 = 10;
/// How long a received letter stays hidden, in seconds, if this program is killed before it gives the letter back.
pub(super) const HIDDEN_S: i32 = 30;
/// After this many answers in a row without a new letter there are no more.
const EMPTY_ANSWERS: u32 = 3;

/// A letter and the queue that it is in.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Letter {
    pub queue: String,
    #[serde(skip)]
    pub receipt: String,
    pub id: String,
    pub sent_at: String,
    #[serde(flatten)]
    pub content: Content,
}

/// The approximate number of letters in the queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Letters that can be received.
    pub free: u64,
    /// Letters that are hidden, because somebody has received them.
    pub held: u64,
    /// The longer of the queues' default visibility timeouts, in seconds.
    pub hidden_s: u64,
}

/// The letters that were received, oldest first, and those that could not be.
#[derive(Debug)]
pub(super) struct Taken {
    pub letters: Vec<Letter>,
    pub missing: Missing,
}

/// Letters that are in the queues but could not be received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// How many there are.
    pub letters: u64,
    /// How many of them are hidden, because somebody else has received them.
    pub held: u64,
    /// After at most this many seconds the hidden ones are visible again, unless they are received again.
    pub back_s: u64,
}

/// The queues of a stack, and the letters received from them.
#[derive(Debug)]
pub(super) struct Mailbox<'a> {
    pub target: &'a Target,
    queues: [&'a str; 2],
    held: Mutex<Vec<Letter>>,
    stopped: AtomicBool,
}

/// The approximate number of letters in the queues.
///
/// # Errors
/// SQS refuses.
pub(crate) async fn count(target: &Target, platform: &Platform) -> Result<Counts> {
    Mailbox::new(target, platform).count().await
}

impl<'a> Mailbox<'a> {
    pub fn new(target: &'a Target, platform: &'a Platform) -> Self {
        Self {
            target,
            queues: [&platform.undelivered_events_url, &platform.function_failures_url],
            held: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Starts no further calls from now on.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether no further calls may be started.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The approximate number of letters in the queues.
    ///
    /// # Errors
    /// SQS refuses.
    pub async fn count(&self) -> Result<Counts> {
        let wanted = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::VisibilityTimeout,
        ];
        let mut counts = Counts::default();
        for queue in self.queues {
            let request = self.target.sqs().get_queue_attributes().queue_url(queue);
            let answer = request.set_attribute_names(Some(wanted.to_vec())).send().await;
            let answer = answer.map_err(|error| describe("GetQueueAttributes", error))?;
            let number = |name| {
                let value = answer.attributes().and_then(|all| all.get(name));
                value.and_then(|value| value.parse::<u64>().ok()).unwrap_or_default()
            };
            let [free, held, hidden] = &wanted;
            counts.free += number(free);
            counts.held += number(held);
            counts.hidden_s = counts.hidden_s.max(number(hidden));
        }
        Ok(counts)
    }

    /// Receives every letter of both queues; ends early when it is stopped.
    ///
    /// # Errors
    /// SQS refuses.
    pub async fn take_all(&self) -> Result<Taken> {
        let there = self.count().await?;
        for queue in self.queues {
            let mut empty = 0;
            while empty < EMPTY_ANSWERS && !self.is_stopped() {
                let request = self.target.sqs().receive_message().queue_url(queue);
                let request = request.max_number_of_messages(PAGE).visibility_timeout(HIDDEN_S);
                let request = request
                    .wait_time_seconds(0)
                    .message_attribute_names("All")
                    .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
                let answer = request
                    .send()
                    .await
                    .map_err(|error| describe("ReceiveMessage", error))?;
                let mut new = false;
                for message in answer.messages.unwrap_or_default() {
                    new |= self.hold(letter(queue, &message)?);
                }
                empty = if new { 0 } else { empty + 1 };
            }
        }
        let mut letters = self.held().clone();
        letters.sort_by(|one, other| one.sent_at.cmp(&other.sent_at));
        Ok(Taken {
            missing: missing(there, letters.len() as u64),
            letters,
        })
    }

    /// Hides a received letter again from now on, so that nobody else handles it at the same time.
    ///
    /// # Errors
    /// It has become visible meanwhile, and somebody else may have received it.
    pub async fn keep(&self, letter: &Letter) -> Result<()> {
        let request = self.target.sqs().change_message_visibility().queue_url(&letter.queue);
        let answer = request
            .receipt_handle(&letter.receipt)
            .visibility_timeout(HIDDEN_S)
            .send()
            .await;
        answer.map_err(|error| {
            describe(
                &format!("letter {} can't be kept: ChangeMessageVisibility", letter.id),
                error,
            )
        })?;
        Ok(())
    }

    /// Removes a letter.
    ///
    /// # Errors
    /// SQS refuses.
    pub async fn remove(&self, letter: &Letter) -> Result<()> {
        let request = self.target.sqs().delete_message().queue_url(&letter.queue);
        let answer = request.receipt_handle(&letter.receipt).send().await;
        answer.map_err(|error| describe("DeleteMessage", error))?;
        self.held().retain(|held| held.id != letter.id);
        Ok(())
    }

    /// Gives all letters that are still held back, so that anybody can receive them at once.
    pub async fn give_back(&self) {
        let held = std::mem::take(&mut *self.held());
        for queue in self.queues {
            let own: Vec<&Letter> = held.iter().filter(|letter| letter.queue == queue).collect();
            for page in own.chunks(PAGE as usize) {
                let entries = page.iter().enumerate().filter_map(|(number, letter)| {
                    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(number.to_string());
                    entry.receipt_handle(&letter.receipt).visibility_timeout(0).build().ok()
                });
                let request = self.target.sqs().change_message_visibility_batch().queue_url(queue);
                let answer = request.set_entries(Some(entries.collect())).send().await;
                if let Err(error) = answer {
                    let error = describe("ChangeMessageVisibilityBatch", error);
                    let letters = counted(page.len() as u64, "dead letter", "dead letters");
                    ui::say(&format!(
                        "{letters} can be read again in {HIDDEN_S} s, not at once: {error}"
                    ));
                }
            }
        }
    }

    /// Remembers a letter; returns whether it is a new one.
    fn hold(&self, letter: Letter) -> bool {
        let mut held = self.held();
        match held.iter_mut().find(|known| known.id == letter.id) {
            // Only the last receipt handle is valid.
            Some(known) => {
                *known = letter;
                false
            }
            None => {
                held.push(letter);
                true
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(there: Counts, taken: u64) -> Missing {
    let letters = (there.free + there.held).saturating_sub(taken);
    Missing {
        letters,
        held: letters.min(there.held),
        back_s: there.hidden_s.max(HIDDEN_S.unsigned_abs().into()),
    }
}

impl Missing {
    /// In words; `None` when no letter is missing.
    pub fn in_words(self) -> Option<String> {
        let Self { letters, held, back_s } = self;
        let verb = |count| if count == 1 { "is" } else { "are" };
        let held_words = || {
            let (count, verb) = (counted(held, "dead letter", "dead letters"), verb(held));
            let pronoun = if held == 1 { "it is" } else { "they are" };
            format!("{count} {verb} held by another look just now: {pronoun} back within {back_s} s")
        };
        let others = letters - held;
        let others_words = || {
            let (count, verb) = (counted(others, "dead letter", "dead letters"), verb(others));
            format!(
                "{count} {verb} there, and SQS has not given {}: look again",
                if others == 1 { "it" } else { "them" }
            )
        };
        match (held, others) {
            (0, 0) => None,
            (0, _) => Some(others_words()),
            (_, 0) => Some(held_words()),
            _ => Some(format!("{}; {}", held_words(), others_words())),
        }
    }
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
