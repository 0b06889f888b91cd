"""E-mail subscriptions are delivered into the inbox file."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from drivetrain_localstack.inbox import deliver
from support import wait_for


@pytest.fixture
def topic(aws):
    return aws("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]


def mails(stack, topic: str) -> list[dict]:
    if not stack.inbox.exists():
        return []
    lines = stack.inbox.read_text().splitlines()
    return [mail for mail in map(json.loads, lines) if mail["topic_arn"] == topic]


def test_a_message_is_a_mail(aws, stack, topic):
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.com")
    aws("sns").publish(
        TopicArn=topic,
        Subject="Model rejected",
        Message="first line\nsecond line ü",
        MessageAttributes={"use_case": {"DataType": "String", "StringValue": "used-car-price"}},
    )
    mail = wait_for(lambda: mails(stack, topic))[0]
    assert mail.pop("time").endswith("Z")
    assert mail == {
        "topic_arn": topic,
        "to": "someone@example.com",
        "subject": "Model rejected",
        "message": "first line\nsecond line ü",
        "message_attributes": {"use_case": "used-car-price"},
    }


def test_a_message_without_a_subject_gets_awss(aws, stack, topic):
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.com")
    aws("sns").publish(TopicArn=topic, Message="m")
    assert wait_for(lambda: mails(stack, topic))[0]["subject"] == "AWS Notification Message"


def test_a_subscription_is_confirmed_at_once(aws, topic):
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.com")
    listed = aws("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed[0]["SubscriptionArn"].startswith(topic)
    attributes = aws("sns").get_subscription_attributes(SubscriptionArn=listed[0]["SubscriptionArn"])["Attributes"]
    assert attributes["PendingConfirmation"] == "false"


def test_filter_policies_choose_the_recipients(aws, stack, topic):
    for recipient, use_case in [("a@example.com", "cars"), ("b@example.com", "bikes")]:
        aws("sns").subscribe(
            TopicArn=topic,
            Protocol="email",
            Endpoint=recipient,
            Attributes={"FilterPolicy": json.dumps({"use_case": [use_case]})},
        )
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="all@example.com")
    aws("sns").publish(
        TopicArn=topic,
        Message="m",
        MessageAttributes={"use_case": {"DataType": "String", "StringValue": "bikes"}},
    )
    wait_for(lambda: len(mails(stack, topic)) == 2)
    assert {mail["to"] for mail in mails(stack, topic)} == {"b@example.com", "all@example.com"}


def test_mails_of_one_moment_do_not_mix(tmp_path):
    inbox = tmp_path / "inbox.jsonl"
    with ThreadPoolExecutor(16) as pool:
        for number in range(400):
            pool.submit(deliver, str(inbox), "arn", "to", "s", f"{number}:" + "x" * 3000, {})
    numbers = {int(json.loads(line)["message"].split(":")[0]) for line in inbox.read_text().splitlines()}
    assert numbers == set(range(400))
