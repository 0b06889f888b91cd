"""SageMaker tasks of state machines, ends of executions, and the parts of the States Language that the platform
uses."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from support import wait_for


@pytest.fixture(scope="session")
def run(aws, role):
    """Runs a machine to its end and returns its description, with output and cause parsed if they are JSON."""

    def start(states: dict, input_: dict | None = None, **machine) -> str:
        definition = {"StartAt": next(iter(states)), "States": states} | machine
        arn = aws("stepfunctions").create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]
        return aws("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(input_ or {}))["executionArn"]

    def end_of(execution: str) -> dict:
        def ended():
            description = aws("stepfunctions").describe_execution(executionArn=execution)
            return description if description["status"] != "RUNNING" else None

        description = wait_for(ended, limit_s=20, what=execution)
        for field in ("output", "cause"):
            if str(description.get(field, "")).startswith(("{", "[")):
                description[field] = json.loads(description[field])
        return description

    def run(states: dict, input_: dict | None = None, **machine) -> dict:
        return end_of(start(states, input_, **machine))

    run.start, run.end_of = start, end_of
    return run


def task(action: str, parameters: dict, **more) -> dict:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{action}", "Parameters": parameters} | more
    return state if "Next" in state else state | {"End": True}


CATCH = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]}
CAUGHT = {"Caught": {"Type": "Pass", "End": True}}


@pytest.mark.parametrize("kind", ["Training", "Processing", "Transform"])
def test_a_sync_task_gives_the_description_of_the_ended_job(run, kind):
    name = f"{kind.lower()}-well"
    end = run({"Job": task(f"sagemaker:create{kind}Job.sync", {f"{kind}JobName.$": "$.name"})}, {"name": name})
    assert end["status"] == "SUCCEEDED"
    assert end["output"][f"{kind}JobName"] == name
    assert end["output"][f"{kind}JobStatus"] == "Completed"
    assert end["output"]["CreationTime"] == 1700000000123


def test_maps_and_odd_names_of_a_description_stay_as_they_are(run):
    training = run({"Job": task("sagemaker:createTrainingJob.sync", {"TrainingJobName": "shapes"})})["output"]
    assert training["HyperParameters"] == {"max_depth": "3", "snake_case": "x"}
    assert training["FinalMetricDataList"] == [
        {"MetricName": "validation:rmse", "Value": 1.5, "Timestamp": 1700000001000}
    ]
    transform = run({"Job": task("sagemaker:createTransformJob.sync", {"TransformJobName": "shapes-2"})})["output"]
    assert transform["MaxPayloadInMB"] == 1


def test_maps_of_a_request_stay_as_they_are(run, sagemaker):
    run(
        {
            "Job": task(
                "sagemaker:createTrainingJob.sync",
                {"TrainingJobName": "request", "HyperParameters": {"max_depth": "3"}, "Environment": {"A_B": "c"}},
            )
        }
    )
    request = sagemaker.named("CreateTrainingJob")[-1]
    assert request["HyperParameters"] == {"max_depth": "3"}
    assert request["Environment"] == {"A_B": "c"}


@pytest.mark.parametrize("kind", ["Training", "Processing", "Transform"])
def test_a_failed_job_fails_the_task_with_its_description(run, kind):
    end = run({"Job": task(f"sagemaker:create{kind}Job.sync", {f"{kind}JobName": f"failing-{kind}"}, **CATCH)} | CAUGHT)
    assert end["status"] == "SUCCEEDED"
    assert end["output"]["Error"] == "States.TaskFailed"
    cause = json.loads(end["output"]["Cause"])
    assert cause[f"{kind}JobStatus"] == "Failed"
    assert cause["FailureReason"] == 'AlgorithmError: it said "no"'
    assert cause["CreationTime"] == 1700000000123


def test_a_failed_job_can_be_retried_under_another_name(run, sagemaker):
    retry = {"Retry": [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}]}
    name = {"TrainingJobName.$": "States.Format('failing-again-{}', $$.State.RetryCount)"}
    end = run({"Job": task("sagemaker:createTrainingJob.sync", name, **retry)})
    assert (end["status"], end["error"]) == ("FAILED", "States.TaskFailed")
    names = [job["TrainingJobName"] for job in sagemaker.named("CreateTrainingJob")]
    assert {"failing-again-0", "failing-again-1"} <= set(names)


def test_a_throttled_look_at_the_job_does_not_fail_the_task(run):
    end = run({"Job": task("sagemaker:createTrainingJob.sync", {"TrainingJobName": "flaky"})})
    assert end["status"] == "SUCCEEDED"


def test_a_timed_out_task_stops_its_job(run, sagemaker):
    job = task("sagemaker:createTrainingJob.sync", {"TrainingJobName": "endless-1"}, TimeoutSeconds=1, **CATCH)
    end = run({"Job": job} | CAUGHT)
    assert end["output"]["Error"] == "States.Timeout"
    wait_for(lambda: sagemaker.jobs["endless-1"]["status"] == "Stopped")


def test_a_timed_out_execution_stops_its_job(run, sagemaker):
    end = run({"Job": task("sagemaker:createProcessingJob.sync", {"ProcessingJobName": "endless-2"})}, TimeoutSeconds=1)
    assert end["status"] == "TIMED_OUT"
    wait_for(lambda: sagemaker.jobs["endless-2"]["status"] == "Stopped")


def test_an_aborted_execution_stops_its_jobs_and_stays_aborted(run, aws, sagemaker):
    job = task(
        "sagemaker:createTransformJob.sync",
        {"TransformJobName.$": "$"},
        ResultSelector={"arn.$": "$.NotThere"},
        Retry=[{"ErrorEquals": ["States.ALL"]}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        Next="Caught",
    )
    states = {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.names",
            "ItemProcessor": {"StartAt": "Job", "States": {"Job": job} | CAUGHT},
            "End": True,
        }
    }
    names = ["endless-3", "endless-4"]
    execution = run.start(states, {"names": names})
    wait_for(lambda: all(name in sagemaker.jobs for name in names))
    aws("stepfunctions").stop_execution(executionArn=execution, error="Enough", cause="by hand")
    end = run.end_of(execution)
    assert (end["status"], end["error"], end["cause"]) == ("ABORTED", "Enough", "by hand")
    wait_for(lambda: all(sagemaker.jobs[name]["status"] == "Stopped" for name in names))
    events = aws("stepfunctions").get_execution_history(executionArn=execution)["events"]
    assert "TaskSucceeded" not in {event["type"] for event in events}


@pytest.mark.parametrize(
    ("resource", "name", "error"),
    [
        ("sagemaker:createModel", "throttled-1", "SageMaker.AmazonSageMakerException"),
        ("sagemaker:createModel", "refused-1", "SageMaker.AmazonSageMakerException"),
        ("sagemaker:createModel", "limited-1", "SageMaker.ResourceLimitExceededException"),
        ("sagemaker:createTrainingJob.sync", "throttled-2", "SageMaker.AmazonSageMakerException"),
        ("sagemaker:createTrainingJob.sync", "limited-2", "SageMaker.ResourceLimitExceededException"),
        ("aws-sdk:sagemaker:createModel", "throttled-3", "SageMaker.SageMakerException"),
        ("aws-sdk:sagemaker:createModel", "limited-3", "SageMaker.ResourceLimitExceededException"),
    ],
)
def test_refused_calls_bear_awss_names(run, resource, name, error):
    field = "TrainingJobName" if "Training" in resource else "ModelName"
    end = run({"Call": task(resource, {field: name}, Catch=[{"ErrorEquals": [error], "Next": "Caught"}])} | CAUGHT)
    assert end["status"] == "SUCCEEDED", end
    assert end["output"]["Error"] == error
    assert "Status Code: 400" in end["output"]["Cause"]


@pytest.mark.parametrize("action", ["createModel", "createEndpointConfig", "createEndpoint", "updateEndpoint"])
def test_request_response_actions(run, sagemaker, action):
    field = {"createModel": "ModelName", "createEndpointConfig": "EndpointConfigName"}.get(action, "EndpointName")
    end = run({"Call": task(f"sagemaker:{action}", {field: f"by-{action}"})})
    assert end["status"] == "SUCCEEDED"
    assert {field: f"by-{action}"} in sagemaker.named(action[0].upper() + action[1:])


@pytest.mark.parametrize("action", ["describeEndpoint", "createModel.sync", "createTrainingJob.waitForTaskToken"])
def test_a_task_that_aws_does_not_have_is_refused(aws, role, action):
    definition = {"StartAt": "Call", "States": {"Call": task(f"sagemaker:{action}", {})}}
    with pytest.raises(ClientError) as error:
        aws("stepfunctions").create_state_machine(name="refused", definition=json.dumps(definition), roleArn=role)
    assert error.value.response["Error"]["Code"] == "InvalidDefinition"


def test_sdk_tasks_of_the_neighbours(run, aws, sagemaker):
    aws("s3").create_bucket(Bucket="sdk-tasks")
    scaling = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/from-a-machine/variant/all",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    end = run(
        {
            "Parameter": task(
                "aws-sdk:ssm:putParameter",
                {"Name": "/a/b", "Value.$": "$.value", "Type": "String", "Overwrite": True},
                ResultPath=None,
                Next="Object",
            ),
            "Object": task(
                "aws-sdk:s3:putObject",
                {"Bucket": "sdk-tasks", "Key": "a.json", "Body.$": "$"},
                ResultPath=None,
                Next="Scaling",
            ),
            "Scaling": task(
                "aws-sdk:applicationautoscaling:registerScalableTarget",
                scaling | {"MinCapacity": 1, "MaxCapacity": 3},
                ResultPath=None,
                Next="Head",
            ),
            "Head": task(
                "aws-sdk:s3:headObject", {"Bucket": "sdk-tasks", "Key": "a.json"}, ResultPath="$.head", Next="List"
            ),
            "List": task("aws-sdk:s3:listObjectsV2", {"Bucket": "sdk-tasks"}, ResultPath="$.list"),
        },
        {"value": "v"},
    )
    assert end["status"] == "SUCCEEDED", end
    assert aws("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"] == "v"
    assert json.loads(aws("s3").get_object(Bucket="sdk-tasks", Key="a.json")["Body"].read()) == {"value": "v"}
    assert sagemaker.named("RegisterScalableTarget")[-1] == scaling | {"MinCapacity": 1, "MaxCapacity": 3}
    assert end["output"]["head"]["LastModified"].endswith("Z")
    assert end["output"]["list"]["Contents"][0]["Key"] == "a.json"


def test_sdk_errors_of_a_renamed_service_bear_awss_name(run):
    call = task(
        "aws-sdk:eventbridge:describeRule",
        {"Name": "none"},
        Catch=[{"ErrorEquals": ["EventBridge.ResourceNotFoundException"], "Next": "Caught"}],
    )
    assert run({"Call": call} | CAUGHT)["status"] == "SUCCEEDED"


def test_sdk_errors_of_s3_can_be_caught_by_name(run):
    call = task("aws-sdk:s3:headObject", {"Bucket": "sdk-tasks", "Key": "none"}, **CATCH)
    assert run({"Call": call} | CAUGHT)["output"]["Error"].startswith("S3.")


def test_a_functions_error_type_is_the_errors_name(run, function):
    parameters = {"FunctionName": function, "Payload": {"do": "error", "type": "NoChampion"}}
    call = task("lambda:invoke", parameters, Catch=[{"ErrorEquals": ["NoChampion"], "Next": "Caught"}])
    end = run({"Call": call} | CAUGHT)
    assert end["output"]["Error"] == "NoChampion"
    assert json.loads(end["output"]["Cause"])["errorMessage"] == "it went wrong"


def test_fail_takes_its_error_and_cause_from_the_data(run):
    states = {"Fail": {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "States.JsonToString($.cause)"}}
    end = run(states, {"error": "OwnError", "cause": {"why": "so"}})
    assert (end["status"], end["error"], end["cause"]) == ("FAILED", "OwnError", {"why": "so"})


def test_map_with_selector_variables_and_intrinsics(run):
    states = {
        "Remember": {"Type": "Pass", "Assign": {"run.$": "$.run", "limit": 2}, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.models",
            "ItemSelector": {"model.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index", "run.$": "$.run"},
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Inner",
                "States": {
                    "Inner": {
                        "Type": "Pass",
                        "Assign": {"inner.$": "$.merged.model"},
                        "Parameters": {
                            "name.$": "States.Format('{}-{}-{}', $run, $.model, $.index)",
                            "next.$": "States.MathAdd($.index, $limit)",
                            "hash.$": "States.Hash($.model, 'SHA-256')",
                            "part.$": "States.ArrayGetItem(States.StringSplit($.run, '-'), 0)",
                            "merged.$": "States.JsonMerge($, States.StringToJson('{\"x\":1}'), false)",
                        },
                        "Next": "Later",
                    },
                    "Later": {
                        "Type": "Pass",
                        "Parameters": {"inner.$": "$inner", "was.$": "$"},
                        "End": True,
                    },
                },
            },
            "End": True,
        },
    }
    end = run(states, {"run": "r-1", "models": ["a", "b"]})
    assert end["status"] == "SUCCEEDED", end
    assert [item["inner"] for item in end["output"]] == ["a", "b"]
    second = end["output"][1]["was"]
    assert (second["name"], second["next"], second["part"]) == ("r-1-b-1", 3, "r")
    assert second["merged"] == {"model": "b", "index": 1, "run": "r-1", "x": 1}
    assert second["hash"] == "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"


@pytest.mark.parametrize("state", ["Map", "Parallel"])
def test_an_error_inside_a_map_or_parallel_keeps_its_name(run, state):
    job = task("sagemaker:createTrainingJob.sync", {"TrainingJobName": f"failing-in-{state}"})
    inner = {"StartAt": "Job", "States": {"Job": job}}
    outer = {"ItemsPath": "$.items", "ItemProcessor": inner} if state == "Map" else {"Branches": [inner]}
    catch = {"Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]}
    end = run({"Outer": {"Type": state, "End": True} | outer | catch} | CAUGHT, {"items": [1]})
    assert end["status"] == "SUCCEEDED", end
    assert end["output"]["Error"] == "States.TaskFailed"
    assert json.loads(end["output"]["Cause"])["TrainingJobStatus"] == "Failed"


def test_variables_with_paths(run):
    states = {
        "Remember": {"Type": "Pass", "Assign": {"plan.$": "$.plan"}, "Next": "Choose"},
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Variable": "$plan.models[1].name", "StringEquals": "b", "Next": "Use"}],
            "Default": "Caught",
        },
        "Use": {
            "Type": "Pass",
            "Parameters": {
                "name.$": "$plan.models[0].name",
                "whole.$": "$plan",
                "size.$": "States.ArrayLength($plan.models)",
            },
            "End": True,
        },
    }
    plan = {"models": [{"name": "a"}, {"name": "b"}]}
    end = run(states | CAUGHT, {"plan": plan})
    assert end["status"] == "SUCCEEDED", end
    assert end["output"] == {"name": "a", "whole": plan, "size": 2}


@pytest.mark.parametrize("items", [[], ["failed"], ["exported", "failed"]])
def test_a_path_with_a_wildcard_finds_a_list_of_any_length(run, items):
    state = {
        "Type": "Pass",
        "Parameters": {
            "all.$": "$.items[*].end",
            "any.$": "States.ArrayContains($.items[*].end, 'failed')",
            "failed.$": "$.items[?(@.end == 'failed')].end",
        },
        "End": True,
    }
    end = run({"Look": state}, {"items": [{"end": item} for item in items]})
    assert end["status"] == "SUCCEEDED", end
    failed = [item for item in items if item == "failed"]
    assert end["output"] == {"all": items, "any": bool(failed), "failed": failed}


def test_the_same_execution_name_runs_once(aws, role):
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}}
    client = aws("stepfunctions")
    arn = client.create_state_machine(name="once", definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    first = client.start_execution(stateMachineArn=arn, name="one", input='{"a":1}')
    again = client.start_execution(stateMachineArn=arn, name="one", input='{"a":1}')
    assert again["executionArn"] == first["executionArn"]
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=arn, name="one", input='{"a":2}')
    wait_for(lambda: client.describe_execution(executionArn=first["executionArn"])["status"] == "SUCCEEDED")
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=arn, name="one", input='{"a":1}')
