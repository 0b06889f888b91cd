"""EventBridge: patterns, inputs of targets, dead-letter queues, and the events of executions."""

import json
import uuid

import pytest

from drivetrain_localstack.events import fill_json_template
from support import wait_for


@pytest.fixture
def queue(aws):
    """An SQS queue that can be read as a list of message bodies."""
    url = aws("sqs").create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}")["QueueUrl"]

    class Queue:
        arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

        def messages(self) -> list[dict]:
            answer = aws("sqs").receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return answer.get("Messages", [])

        def wait(self) -> list[dict]:
            return wait_for(self.messages)

    return Queue()


@pytest.fixture
def rule(aws):
    """``rule(pattern, **target)``: a rule with one target, which is deleted afterwards."""
    made = []

    def make(pattern: dict, **target) -> str:
        name = f"rule-{uuid.uuid4().hex[:8]}"
        arn = aws("events").put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
        made.append(name)
        answer = aws("events").put_targets(Rule=name, Targets=[{"Id": "one"} | target])
        assert answer["FailedEntryCount"] == 0
        return arn

    yield make
    for name in made:
        aws("events").remove_targets(Rule=name, Ids=["one"])
        aws("events").delete_rule(Name=name)


def put(aws, source: str, detail: dict, kind: str = "test") -> None:
    aws("events").put_events(Entries=[{"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}])


@pytest.fixture(scope="session")
def passing_machine(aws, role) -> str:
    definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    return aws("stepfunctions").create_state_machine(name="passing", definition=json.dumps(definition), roleArn=role)[
        "stateMachineArn"
    ]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ({"Input": '{"constant": 1}'}, {"constant": 1}),
        ({"InputPath": "$.detail"}, {"key": "k"}),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"key": "$.detail.key", "time": "$.time"},
                    "InputTemplate": '{"key": <key>, "text": "the <key>"}',
                }
            },
            {"key": "k", "text": "the k"},
        ),
    ],
)
def test_a_machine_starts_with_the_input_of_its_target(aws, rule, role, passing_machine, transform, expected):
    source = f"source-{uuid.uuid4().hex[:8]}"
    rule({"source": [source]}, Arn=passing_machine, RoleArn=role, **transform)
    put(aws, source, {"key": "k"})

    def started():
        executions = aws("stepfunctions").list_executions(stateMachineArn=passing_machine)["executions"]
        inputs = [
            json.loads(aws("stepfunctions").describe_execution(executionArn=one["executionArn"])["input"])
            for one in executions
        ]
        return expected in inputs

    wait_for(started)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ([{"wildcard": "*/training/incoming/*"}], "cars/training/incoming/a.csv", "cars/scoring/incoming/a.csv"),
        ([{"prefix": "cars/"}], "cars/a", "bikes/a"),
        ([{"suffix": ".csv"}], "a.csv", "a.txt"),
        ([{"anything-but": ["a"]}], "b", "a"),
        ([{"anything-but": {"prefix": "a"}}], "b", "ab"),
    ],
)
def test_patterns(aws, rule, queue, pattern, matching, other):
    source = f"source-{uuid.uuid4().hex[:8]}"
    rule({"source": [source], "detail": {"object": {"key": pattern}}}, Arn=queue.arn)
    put(aws, source, {"object": {"key": other}})
    put(aws, source, {"object": {"key": matching}})
    keys = [json.loads(message["Body"])["detail"]["object"]["key"] for message in queue.wait()]
    assert keys == [matching]


def test_a_rule_takes_a_dead_letter_queue_and_a_retry_policy(aws, rule, queue):
    arn = rule(
        {"source": ["nobody"]},
        Arn=queue.arn,
        DeadLetterConfig={"Arn": queue.arn},
        RetryPolicy={"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 120},
    )
    target = aws("events").list_targets_by_rule(Rule=arn.split("/")[-1])["Targets"][0]
    assert target["DeadLetterConfig"] == {"Arn": queue.arn}
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 120}


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(aws, rule, queue):
    source = f"source-{uuid.uuid4().hex[:8]}"
    missing = "arn:aws:lambda:us-east-1:000000000000:function:missing"
    arn = rule({"source": [source]}, Arn=missing, Input='{"a": 1}', DeadLetterConfig={"Arn": queue.arn})
    put(aws, source, {"key": "k"})
    message = queue.wait()[0]
    assert json.loads(message["Body"])["detail"] == {"key": "k"}
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (attributes["RULE_ARN"], attributes["TARGET_ARN"]) == (arn, missing)
    assert attributes["ERROR_CODE"] == "ResourceNotFoundException"


def test_a_transformed_event_reaches_a_function_and_a_topic(aws, rule, function, queue):
    source = f"source-{uuid.uuid4().hex[:8]}"
    paths = {"text": "$.detail.text", "number": "$.detail.number"}
    topic = aws("sns").create_topic(Name=source)["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    rule(
        {"source": [source]},
        Arn=topic,
        InputTransformer={"InputPathsMap": paths, "InputTemplate": '"Said: <text>"\n"Counted: <number>"'},
    )
    rule(
        {"source": [source]},
        Arn=aws("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"],
        InputTransformer={"InputPathsMap": paths, "InputTemplate": '{"do": "print", "text": "said <text>"}'},
    )
    put(aws, source, {"text": 'a "quoted" word\nand a line', "number": 0})

    # The log group is created at the first invocation.
    aws("lambda").invoke(FunctionName=function, Payload=b"{}")
    wait_for(lambda: aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/echo")["logGroups"])

    def printed():
        events = aws("logs").filter_log_events(logGroupName="/aws/lambda/echo")["events"]
        return 'said a "quoted" word\n' in [event["message"] for event in events]

    wait_for(printed)
    assert queue.wait()[0]["Body"].startswith('"Said: a "quoted" word')


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ('{"a": <x>}', {"x": 'say "no"\n'}, {"a": 'say "no"\n'}),
        ('{"a": "<x>!"}', {"x": 'say "no"\n'}, {"a": 'say "no"\n!'}),
        ('{"a": "one\\ntwo <x>"}', {"x": "three"}, {"a": "one\ntwo three"}),
        ('{"a": <x>}', {"x": {"b": [1, "two"]}}, {"a": {"b": [1, "two"]}}),
        ('{"a": "<x>"}', {"x": {"b": 1}}, {"a": '{"b": 1}'}),
        ('{"a": <x>, "b": <y>}', {"x": 0, "y": False}, {"a": 0, "b": False}),
        ('{"a": <missing>}', {}, {"a": ""}),
        ('{"say \\"<x>\\"": <x>}', {"x": "b"}, {'say "b"': "b"}),
    ],
)
def test_json_templates(template, values, expected):
    assert fill_json_template(template, values) == expected


def test_a_template_that_gives_no_json_is_an_error():
    with pytest.raises(ValueError, match="gives no JSON"):
        fill_json_template('{"a": <x> <x>}', {"x": 1})


def test_objects_of_a_bucket_are_events(aws, rule, queue):
    aws("s3").create_bucket(Bucket="eventful")
    aws("s3").put_bucket_versioning(Bucket="eventful", VersioningConfiguration={"Status": "Enabled"})
    aws("s3").put_bucket_notification_configuration(
        Bucket="eventful", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["eventful"]}, "object": {"key": [{"wildcard": "*/training/incoming/*"}]}},
    }
    rule(pattern, Arn=queue.arn)
    key = "cars/training/incoming/a b+ü%20.csv"
    versions = [aws("s3").put_object(Bucket="eventful", Key=key, Body=b"x")["VersionId"] for _ in range(2)]
    objects = []

    def both():
        objects.extend(json.loads(message["Body"])["detail"]["object"] for message in queue.messages())
        return len(objects) == 2

    wait_for(both)
    # The order of arrival has no meaning, but the sequencer has.
    objects.sort(key=lambda one: one["sequencer"])
    assert [one["version-id"] for one in objects] == versions
    assert {(one["key"], one["size"]) for one in objects} == {(key, 1)}
    assert objects[0]["sequencer"] != objects[1]["sequencer"]


def test_the_end_of_an_execution_is_a_complete_event(aws, rule, role, queue):
    states = {"Fail": {"Type": "Fail", "Error": "Own", "Cause": 'because\nof "this"'}}
    machine = aws("stepfunctions").create_state_machine(
        name=f"failing-{uuid.uuid4().hex[:8]}",
        definition=json.dumps({"StartAt": "Fail", "States": states}),
        roleArn=role,
    )["stateMachineArn"]
    rule({"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}, Arn=queue.arn)
    execution = aws("stepfunctions").start_execution(stateMachineArn=machine, input='{"run_id": "r"}')["executionArn"]
    events = []

    def both():
        events.extend(json.loads(message["Body"]) for message in queue.messages())
        return len(events) == 2

    wait_for(both)
    started, ended = sorted(events, key=lambda event: event["detail"]["status"], reverse=True)
    assert started["detail-type"] == "Step Functions Execution Status Change"
    assert started["resources"] == [execution]
    assert (started["detail"]["status"], started["detail"]["stopDate"]) == ("RUNNING", None)
    detail = ended["detail"]
    assert (detail["status"], detail["error"], detail["cause"]) == ("FAILED", "Own", 'because\nof "this"')
    assert json.loads(detail["input"]) == {"run_id": "r"}
    assert detail["output"] is None
    assert 0 <= detail["stopDate"] - detail["startDate"] < 10_000


def test_the_end_of_an_aborted_execution_says_why(aws, rule, role, queue):
    machine = aws("stepfunctions").create_state_machine(
        name=f"waiting-{uuid.uuid4().hex[:8]}",
        definition=json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}),
        roleArn=role,
    )["stateMachineArn"]
    rule({"source": ["aws.states"], "detail": {"stateMachineArn": [machine], "status": ["ABORTED"]}}, Arn=queue.arn)
    execution = aws("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
    aws("stepfunctions").stop_execution(executionArn=execution, error="Enough", cause="by hand")
    detail = json.loads(queue.wait()[0]["Body"])["detail"]
    assert (detail["status"], detail["error"], detail["cause"]) == ("ABORTED", "Enough", "by hand")
    assert detail["input"] == "{}"
