//! Publishes notices to the stack's topic.

use crate::Error;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use contracts::Notice;

/// The stack's topic. Subscriptions filter by the attributes `use_case` and `severity`.
#[derive(Clone, Debug)]
pub struct Notices {
    client: Client,
    topic_arn: String,
}

impl Notices {
    /// The topic to publish to.
    pub fn new(client: Client, topic_arn: impl Into<String>) -> Self {
        Self {
            client,
            topic_arn: topic_arn.into(),
        }
    }

    /// Publishes a notice.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn publish(&self, notice: &Notice) -> Result<(), Error> {
        self.client
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(notice.subject())
            .message(notice.body())
            .message_attributes("use_case", text(&notice.use_case))
            .message_attributes("severity", text(notice.severity.as_str()))
            .send()
            .await
            .map_err(|error| Error::aws_call("Publish", &error))?;
        Ok(())
    }
}

fn text(value: &str) -> MessageAttributeValue {
    let builder = MessageAttributeValue::builder().data_type("String").string_value(value);
    // proof: build fails only without a data type, which is given above.
    #[allow(clippy::unwrap_used)]
    builder.build().unwrap()
}
