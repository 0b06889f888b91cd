"""E-mail subscriptions of SNS topics, delivered into the file that ``DRIVETRAIN_INBOX`` names.

One line for each mail: ``{"time", "topic_arn", "to", "subject", "message", "message_attributes"}``; attributes are a
mapping from names to string values. SNS has applied filter policies before. Without ``DRIVETRAIN_INBOX``, mail goes
where LocalStack puts it.
"""

import json
import os
from datetime import UTC, datetime

# The subject of a message that was published without one, as on AWS.
DEFAULT_SUBJECT = "AWS Notification Message"


def apply_patches() -> None:
    if not os.environ.get("DRIVETRAIN_INBOX"):
        return

    from localstack.services.sns.provider import SnsProvider
    from localstack.services.sns.publisher import EmailJsonTopicPublisher
    from localstack.utils.patch import patch

    @patch(EmailJsonTopicPublisher._publish, pass_target=False)
    def _publish(self, context, subscriber) -> None:
        message = context.message
        deliver(
            os.environ["DRIVETRAIN_INBOX"],
            topic_arn=subscriber["TopicArn"],
            to=subscriber["Endpoint"],
            subject=message.subject or DEFAULT_SUBJECT,
            message=self.prepare_message(message, subscriber, topic_attributes=context.topic_attributes),
            message_attributes=message.message_attributes or {},
        )

    @patch(SnsProvider.subscribe)
    def subscribe(fn, self, context, topic_arn, protocol, *args, **kwargs):
        answer = fn(self, context, topic_arn, protocol, *args, **kwargs)
        if protocol in ("email", "email-json"):
            # Nobody could click the link of a confirmation mail.
            for subscription in self.get_store(context.account_id, context.region).subscriptions.values():
                if subscription["TopicArn"] == topic_arn and subscription["Protocol"] == protocol:
                    subscription["PendingConfirmation"] = "false"
                    subscription["ConfirmationWasAuthenticated"] = "true"
        return answer


def deliver(path: str, topic_arn: str, to: str, subject: str, message: str, message_attributes: dict) -> None:
    """Appends one mail to the inbox, as a whole or not at all."""
    mail = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "topic_arn": topic_arn,
        "to": to,
        "subject": subject,
        "message": message,
        "message_attributes": {name: _text(value) for name, value in message_attributes.items()},
    }
    line = (json.dumps(mail, ensure_ascii=False) + "\n").encode()
    # A single write with O_APPEND: mails published at the same time don't mix, and readers never see part of a line.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _text(attribute: dict) -> str:
    if "StringValue" in attribute:
        return attribute["StringValue"]
    value = attribute.get("BinaryValue", b"")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
