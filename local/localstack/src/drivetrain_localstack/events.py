"""EventBridge: constant and transformed inputs reach their targets, undeliverable events go to the rule's queue, and
S3's events have the same content as on AWS.

LocalStack delivers once; it supports neither retries nor dead-letter queues of targets.
"""

import json
import logging
import re
import time
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import unquote

LOG = logging.getLogger(__name__)

PLACEHOLDER = re.compile(r"<(.*?)>")


def apply_patches() -> None:
    from localstack.services.events import target as target_module
    from localstack.services.events.target import SnsTargetSender, StatesTargetSender, TargetSender
    from localstack.services.events.utils import event_time_to_time_string, to_json_str
    from localstack.services.s3.notifications import EventBridgeNotifier
    from localstack.utils.patch import patch

    s3_event = EventBridgeNotifier._get_event_payload
    EventBridgeNotifier._get_event_payload = staticmethod(
        lambda *args, **kwargs: complete_s3_event(s3_event(*args, **kwargs))
    )

    @patch(StatesTargetSender.send_event, pass_target=False)
    def start_execution(self, event, _trace_header) -> None:
        self.service = "stepfunctions"
        # Only an event that is passed on unchanged has an id of its own.
        name = event.get("id") if isinstance(event, dict) else None
        self.client.start_execution(
            stateMachineArn=self.target["Arn"], name=name or str(uuid.uuid4()), input=to_json_str(event)
        )

    @patch(SnsTargetSender.send_event, pass_target=False)
    def publish(self, event, _trace_header) -> None:
        # A text template arrives here without its outermost quotes; a topic gets it as it was written.
        message = f'"{event}"' if isinstance(event, str) else to_json_str(event)
        self.client.publish(TopicArn=self.target["Arn"], Message=message)

    @patch(target_module.replace_template_placeholders)
    def replace(fn, template: str, replacements: dict[str, Any], is_json_template: bool):
        if not is_json_template:
            return fn(template, replacements, is_json_template)
        return fill_json_template(template, {key: _plain(value) for key, value in replacements.items()})

    def _plain(value: Any) -> Any:
        return event_time_to_time_string(value) if isinstance(value, datetime) else value

    @patch(TargetSender.process_event)
    def process_event(fn, self, event, trace_header) -> None:
        original = dict(event)
        try:
            fn(self, event, trace_header)
        except Exception as error:
            queue_arn = self.target.get("DeadLetterConfig", {}).get("Arn")
            if queue_arn:
                _send_to_dead_letter_queue(self, queue_arn, to_json_str(original), error)
            raise


def complete_s3_event(entry: dict) -> dict:
    """Completes an entry: the object's key is not percent-encoded (unlike in S3's other notifications), and there is a
    sequencer that grows."""
    detail = json.loads(entry["Detail"])
    detail["object"]["key"] = unquote(detail["object"]["key"])
    if "sequencer" in detail["object"]:
        detail["object"]["sequencer"] = f"{time.time_ns():018X}"
    entry["Detail"] = json.dumps(detail)
    return entry


def fill_json_template(template: str, values: dict[str, Any]) -> Any:
    """The value of a JSON input template whose placeholders stand for ``values``.

    Inside a string, a placeholder is replaced by text, elsewhere by a JSON value; a placeholder without a value becomes
    an empty string. Raises ``ValueError`` if the result is not JSON.
    """

    def fill(match: re.Match) -> str:
        value = values.get(match.group(1), "")
        if not _inside_string(template, match.start()):
            return json.dumps(value, default=str)
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return json.dumps(text)[1:-1]

    filled = PLACEHOLDER.sub(fill, template)
    try:
        return json.loads(filled)
    except json.JSONDecodeError as error:
        raise ValueError(f"The input template gives no JSON ({error}): {filled}") from error


def _inside_string(template: str, position: int) -> bool:
    """Whether ``position`` is between the quotes of a JSON string of the template."""
    inside = False
    index = 0
    while index < position:
        character = template[index]
        if character == "\\" and inside:
            index += 1
        elif character == '"':
            inside = not inside
        index += 1
    return inside


def _send_to_dead_letter_queue(sender, queue_arn: str, event: str, error: Exception) -> None:
    from localstack.aws.connect import connect_to
    from localstack.utils.aws.arns import extract_account_id_from_arn, extract_region_from_arn, sqs_queue_url_for_arn

    code = getattr(error, "response", {}).get("Error", {}).get("Code", "INTERNAL_ERROR")
    attributes = {
        "RULE_ARN": sender.rule_arn,
        "TARGET_ARN": sender.target["Arn"],
        "ERROR_CODE": code,
        "ERROR_MESSAGE": str(error) or type(error).__name__,
        "RETRY_ATTEMPTS": "0",
    }
    try:
        connect_to(
            aws_access_key_id=extract_account_id_from_arn(queue_arn), region_name=extract_region_from_arn(queue_arn)
        ).sqs.send_message(
            QueueUrl=sqs_queue_url_for_arn(queue_arn),
            MessageBody=event,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
    except Exception as queue_error:
        LOG.error("The event that %s missed could not be sent to %s: %s", sender.target["Arn"], queue_arn, queue_error)
