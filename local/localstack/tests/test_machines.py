"""The project's state machines for scoring and monitoring, on every path: jobs are run by the stub, and functions
return given answers.

A job whose name contains `failing` fails. The answers of a function are passed in place of the run's id.
"""

import json
import sys
import uuid
from pathlib import Path

import pytest

from support import package, wait_for

MACHINES = Path(__file__).parents[3] / "statemachines"
FUNCTIONS = ("ConsolidateCaptures", "EvaluateDrift", "RefreshDashboard", "StartRun")
# Returns the answer in `run.run_id` for this function and step; `{"fail": type}` is an error of that type.
BOOTSTRAP = f"""#!{sys.executable} -IS
import http.client, json, os

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
path = "/2018-06-01/runtime/invocation/"
while True:
    connection.request("GET", path + "next")
    response = connection.getresponse()
    event = json.loads(response.read())
    answer = event["run"]["run_id"][os.environ["NAME"] + event.get("step", "")]
    kind = "response"
    if "fail" in answer:
        kind, answer = "error", {{"errorType": answer["fail"], "errorMessage": json.dumps(event)}}
    request_id = response.getheader("Lambda-Runtime-Aws-Request-Id")
    connection.request("POST", path + request_id + "/" + kind, json.dumps(answer))
    connection.getresponse().read()
"""
# Fails if the list of files is missing.
JOB = """
import sys
sys.exit("no list" if "s3://bucket/none.json" in sys.argv else None)
"""
RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}


@pytest.fixture(scope="module")
def machines(aws, role, glue_job) -> dict[str, str]:
    substitutions = {
        "SageMakerRoleArn": role,
        "Stack": "stack",
        "AccountId": "000000000000",
        "ConsolidateJobName": glue_job("consolidate-captures-of-a-test", JOB),
    }
    for name in FUNCTIONS:
        made = aws("lambda").create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Code={"ZipFile": package(BOOTSTRAP)},
            Environment={"Variables": {"NAME": name}},
        )
        substitutions[f"{name}FunctionArn"] = made["FunctionArn"]
    for name in FUNCTIONS:
        aws("lambda").get_waiter("function_active_v2").wait(FunctionName=name)

    def make(name: str) -> str:
        definition = (MACHINES / f"{name}.asl.json").read_text()
        for word, value in substitutions.items():
            definition = definition.replace(f"${{{word}}}", value)
        machine = aws("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=role)
        return machine["stateMachineArn"]

    return {name: make(name) for name in ("batch-scoring", "model-monitor")}


@pytest.fixture(scope="module")
def run(aws, machines):
    """Runs a machine once for each input, all at the same time; returns each execution with the names of its states."""
    client = aws("stepfunctions")

    def run(machine: str, inputs: dict[str, dict]) -> dict[str, dict]:
        started = {
            case: client.start_execution(stateMachineArn=machines[machine], input=json.dumps(plan))["executionArn"]
            for case, plan in inputs.items()
        }

        def ended(arn: str):
            execution = client.describe_execution(executionArn=arn)
            return None if execution["status"] == "RUNNING" else execution

        results = {}
        for case, arn in started.items():
            results[case] = wait_for(lambda arn=arn: ended(arn), limit_s=60, what=case)
            events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
            entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
            results[case]["states"] = [state["name"] for state in entered]
        return results

    return run


def job(name: str) -> dict:
    return {
        "job_name": f"{name}-{uuid.uuid4().hex[:8]}",
        "request": {
            "AppSpecification": {"ImageUri": "image"},
            "ProcessingInputs": [],
            "ProcessingOutputConfig": {"Outputs": []},
            "ProcessingResources": RESOURCES,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "Tags": [],
        },
    }


def scoring(*models: str) -> dict:
    """A plan with one model of each name."""
    request = {
        "ModelName": "pipeline",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/rows/"}}},
        "TransformOutput": {"S3OutputPath": "s3://bucket/scores"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": {},
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": 1,
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60},
        "Tags": [],
    }
    scored = [{"run": {"model": name}, "job_name": job(name)["job_name"], "request": request} for name in models]
    return {
        "preprocess": job("prepare"),
        "models": scored,
        "combine": job("combine"),
        "bucket": "scoring-machine",
        "outcomes_key": f"{uuid.uuid4().hex}/scores/outcomes.json",
    }


def window(**changes) -> dict:
    made = {
        "from": "2026-11-22T18:00:00Z",
        "to": "2026-11-22T19:00:00Z",
        "payload": "ready",
        "oversize": False,
        "has_data": True,
        "has_ground_truth": True,
        "has_baselines": True,
        "endpoint_config": "config",
        "baselines": {"data": "s3://bucket/baselines/data/", "quality": "s3://bucket/baselines/quality/"},
        "data_uri": "s3://bucket/data/",
        "quality_uri": "s3://bucket/quality/",
        "sources_uri": "s3://bucket/sources.json",
    }
    return made | changes


def evaluation(outcome: str = "clean", **changes) -> dict:
    return {"outcome": outcome, "reason": "why", "announce": False, "detail": None, "commit": True} | changes


def monitoring(data_job: str = "data", ingestions: tuple[str, ...] = (), **answers) -> dict:
    """A plan whose functions return these answers."""
    usual = {
        "ConsolidateCapturesconsolidate": window(),
        "ConsolidateCapturescommit": {"outcome": "committed"},
        "EvaluateDrift": evaluation(),
        "RefreshDashboard": {"ingestions": [{"data_set_id": name, "ingestion_id": "run"} for name in ingestions]},
    }
    return {
        "run": {"model": "model", "run_id": usual | answers},
        "tick": "2026-11-22T19:00:00Z",
        "rules": {},
        "names": {"data_drift": job(data_job)["job_name"], "model_drift": job("quality")["job_name"]},
        "image": "image",
        "resources": RESOURCES,
        "stopping": {"MaxRuntimeInSeconds": 60},
        "folder_uri": "s3://bucket/folder",
        "minimum_rows": "100",
        "tags": [],
    }


def test_scoring_goes_on_without_a_model_that_fails(run, aws):
    aws("s3").create_bucket(Bucket="scoring-machine")
    plans = {
        "all": scoring("one", "two"),
        "some": scoring("one", "failing"),
        "none": scoring("failing", "failing"),
        "the only one": scoring("failing"),
    }
    ended = run("batch-scoring", plans)
    for case in ("all", "some"):
        assert ended[case]["status"] == "SUCCEEDED", {it: ended[case].get(it) for it in ("states", "error", "cause")}
        assert "Combine" in ended[case]["states"]
    outcomes = [model["outcome"] for model in json.loads(ended["some"]["output"])]
    assert outcomes == ["scored", "failed"]
    # The last job reads this: the reasons why models have no answers.
    for case in ("all", "some"):
        stored = aws("s3").get_object(Bucket="scoring-machine", Key=plans[case]["outcomes_key"])["Body"].read()
        assert json.loads(stored) == json.loads(ended[case]["output"])
    assert "TransformJobStatus" in json.loads(stored)[1]["error"]["Cause"]
    for case in ("none", "the only one"):
        assert (ended[case]["status"], ended[case]["error"]) == ("FAILED", "ScoringFailed")
        assert "Combine" not in ended[case]["states"]


def test_monitoring_takes_the_path_that_the_window_asks_for(run):
    ended = run(
        "model-monitor",
        {
            "clean": monitoring(),
            "nothing": monitoring(ConsolidateCapturesconsolidate=window(payload="none")),
            "too little": monitoring(ConsolidateCapturesconsolidate=window(payload="waiting")),
            "no ground truth": monitoring(ConsolidateCapturesconsolidate=window(has_ground_truth=False)),
            "ground truth alone": monitoring(ConsolidateCapturesconsolidate=window(has_data=False)),
            "no baselines": monitoring(
                ConsolidateCapturesconsolidate=window(has_baselines=False, baselines={"data": "", "quality": ""}),
                EvaluateDrift=evaluation("error"),
            ),
            "too much": monitoring(
                ConsolidateCapturesconsolidate=window(oversize=True),
                ConsolidateCapturesadopt=window(has_ground_truth=False),
            ),
            "too much, in vain": monitoring(
                ConsolidateCapturesconsolidate=window(oversize=True, sources_uri="s3://bucket/none.json"),
            ),
        },
    )
    analyses = {"MonitorDataDrift", "MonitorModelDrift"}
    expected = {
        "clean": analyses,
        "nothing": set(),
        "too little": set(),
        "no ground truth": {"MonitorDataDrift"},
        "ground truth alone": {"MonitorModelDrift"},
        "no baselines": set(),
        "too much": {"MonitorDataDrift"},
        "too much, in vain": set(),
    }
    for case in ("clean", "nothing", "too little", "no ground truth", "ground truth alone", "too much"):
        assert ended[case]["status"] == "SUCCEEDED", {it: ended[case].get(it) for it in ("states", "error", "cause")}
    assert {case: analyses & set(one["states"]) for case, one in ended.items()} == expected
    for case in ("nothing", "too little"):
        assert ended[case]["states"][-1] == "NothingToAnalyse"
    # Reported and committed, because it could never be compared.
    assert (ended["no baselines"]["error"], ended["no baselines"]["cause"]) == ("MonitoringFailed", "why")
    assert "CommitBookmark" in ended["no baselines"]["states"]
    # The job is waited for, and its result is used.
    assert {"ConsolidateAtScale", "AdoptConsolidation"} <= set(ended["too much"]["states"])
    in_vain = ended["too much, in vain"]
    assert (in_vain["states"][-1], in_vain["error"]) == ("ConsolidateAtScale", "States.TaskFailed")
    assert "no list" in in_vain["cause"]


def test_monitoring_tells_commits_and_refreshes(run):
    drifted = evaluation("drifted", announce=True, detail={"model": "model"})
    ended = run(
        "model-monitor",
        {
            "drift": monitoring(EvaluateDrift=drifted, ingestions=("one", "two")),
            "failed job": monitoring("failing", EvaluateDrift={"fail": "ShowsItsEvent"}),
            "overtaken": monitoring(EvaluateDrift=drifted, ConsolidateCapturescommit={"outcome": "superseded"}),
            "error": monitoring(EvaluateDrift=evaluation("error", commit=False)),
            "no dashboard": monitoring(RefreshDashboard={"fail": "Broken"}),
        },
    )
    states = ended["drift"]["states"]
    assert ended["drift"]["status"] == "SUCCEEDED", ended["drift"]
    # The data that it retrains on is committed.
    assert states.index("CommitBookmark") < states.index("AnnounceDrift") < states.index("RefreshDashboard")
    assert states.count("RefreshDataSet") == 2
    assert "DataSetNotRefreshed" not in states

    assert ended["overtaken"]["status"] == "SUCCEEDED", ended["overtaken"]
    assert "AnnounceDrift" not in ended["overtaken"]["states"]

    event = json.loads(json.loads(ended["failed job"]["cause"])["errorMessage"])
    assert event["analyses"]["data"]["ran"]
    assert event["analyses"]["data"]["error"]["Error"] == "States.TaskFailed"
    # The other analysis has continued.
    assert event["analyses"]["quality"] == {"ran": True, "error": None}
    assert event["window"] == window()

    assert ended["error"]["error"] == "MonitoringFailed"
    assert not {"AnnounceDrift", "CommitBookmark"} & set(ended["error"]["states"])
    assert "RefreshDashboard" in ended["error"]["states"]
    assert ended["no dashboard"]["status"] == "SUCCEEDED"
