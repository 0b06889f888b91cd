//! SNS: records what is published. Every topic exists; nothing is delivered.

use std::collections::BTreeMap;

use crate::{Reply, Request};

const MESSAGE_LIMIT_BYTES: usize = 256 * 1024;
const SUBJECT_LIMIT_CHARACTERS: usize = 100;

/// A published message.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// ARN of the topic.
    pub topic_arn: String,
    /// The subject of an e-mail.
    pub subject: Option<String>,
    /// The message.
    pub message: String,
    /// The message attributes by name: the string value of each, whatever its type.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Default)]
pub(crate) struct Sns {
    pub(crate) published: Vec<Published>,
}

impl Sns {
    pub(crate) fn answer(&mut self, request: &Request) -> Option<Reply> {
        match request.operation.as_str() {
            "Publish" => Some(self.publish(request.form()).unwrap_or_else(|error| error)),
            _ => None,
        }
    }

    fn publish(&mut self, mut form: BTreeMap<String, String>) -> Result<Reply, Reply> {
        let attributes = (1..)
            .map_while(|number| {
                let entry = format!("MessageAttributes.entry.{number}");
                let name = form.remove(&format!("{entry}.Name"))?;
                Some((
                    name,
                    form.remove(&format!("{entry}.Value.StringValue")).unwrap_or_default(),
                ))
            })
            .collect();
        let message = form.remove("Message").unwrap_or_default();
        let subject = form.remove("Subject");
        let topic_arn = form.remove("TopicArn").unwrap_or_default();
        if message.is_empty() {
            return Err(invalid("Empty message"));
        }
        if message.len() > MESSAGE_LIMIT_BYTES {
            return Err(invalid("Message too long"));
        }
        if let Some(subject) = &subject
            && !is_subject(subject)
        {
            return Err(invalid("Subject"));
        }
        if !topic_arn.starts_with("arn:") {
            return Err(invalid("TopicArn"));
        }
        self.published.push(Published {
            topic_arn,
            subject,
            message,
            attributes,
        });
        let id = self.published.len();
        let body = format!(
            "<PublishResponse><PublishResult><MessageId>message-{id:04}</MessageId></PublishResult>\
             <ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></PublishResponse>"
        );
        Ok(Reply::bytes(200, "text/xml", body))
    }
}

/// Whether a subject is a single line of at most 100 printable ASCII characters that does not begin with a space.
fn is_subject(subject: &str) -> bool {
    (1..=SUBJECT_LIMIT_CHARACTERS).contains(&subject.len())
        && subject.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !subject.starts_with(' ')
}

fn invalid(what: &str) -> Reply {
    Reply::error(400, "InvalidParameter", format!("Invalid parameter: {what}"))
}
