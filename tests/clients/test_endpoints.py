"""Endpoints through boto3: life cycle, updates, variants."""

import threading

import pytest
from botocore.exceptions import ClientError, WaiterError

from support import QUICKLY, ROLE, TOY, eventually


@pytest.fixture
def in_service(sagemaker):
    """Waits until the endpoint is in service again; returns its description."""

    def in_service(endpoint: str) -> dict:
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig=QUICKLY)
        return sagemaker.describe_endpoint(EndpointName=endpoint)

    return in_service


def test_endpoint_is_created_and_deleted(sagemaker, name, make_endpoint, ask):
    make_endpoint(factor=2)
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert endpoint["EndpointConfigName"] == name
    [variant] = endpoint["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"]) == ("AllTraffic", 1)
    assert [image["SpecifiedImage"] for image in variant["DeployedImages"]] == [TOY]
    [listed] = sagemaker.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"]
    assert listed["EndpointName"] == name
    assert ask(name, "1,2\n3,4\n") == "6.0\n14.0\n"

    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=QUICKLY)
    for operation in (sagemaker.describe_endpoint, sagemaker.delete_endpoint):
        with pytest.raises(ClientError) as missing:
            operation(EndpointName=name)
        assert missing.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": f'Could not find endpoint "{endpoint["EndpointArn"]}".',
        }
    with pytest.raises(ClientError, match=f"Endpoint {name} of account 000000000000 not found"):
        ask(name)


def test_names_of_endpoints_are_unique(sagemaker, name, make_endpoint):
    make_endpoint()
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def test_endpoint_needs_its_configuration(sagemaker, name):
    with pytest.raises(ClientError, match=r'Could not find endpoint configuration ".*endpoint-config/none"'):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="none")


def test_endpoint_whose_container_does_not_start_fails(sagemaker, name, make_config, make_model):
    make_config(broken=make_model(name, EXIT="1"))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICKLY)
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    with pytest.raises(ClientError) as refused:
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=name)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=QUICKLY)


def test_update_switches_without_a_failed_request(sagemaker, name, make_endpoint, make_config, in_service, ask):
    make_endpoint(factor=1)
    answers, failures, done = [], [], threading.Event()

    def requests():
        while not done.is_set():
            try:
                answers.append(ask(name, "3"))
            except Exception as error:
                failures.append(error)

    loop = threading.Thread(target=requests)
    loop.start()
    try:
        new = make_config(name("new"), factor=10)
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=name)
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            sagemaker.delete_endpoint(EndpointName=name)
        assert in_service(name)["EndpointConfigName"] == new
        eventually(lambda: answers and answers[-1] == "30.0\n")
    finally:
        done.set()
        loop.join()
    assert failures == []
    assert answers == sorted(answers), "the old deployment answered after the new one"
    assert set(answers) == {"3.0\n", "30.0\n"}


def test_update_that_fails_rolls_back(sagemaker, name, make_endpoint, make_config, make_model, in_service, ask):
    make_endpoint(factor=1)
    broken = make_config(name("broken"), AllTraffic=make_model(name("broken"), EXIT="1"))
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    endpoint = in_service(name)
    assert endpoint["EndpointConfigName"] == name
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert ask(name, "3") == "3.0\n"


def test_weights_and_capacities(sagemaker, name, make_endpoint, make_config, make_model, in_service, runtime):
    config = make_config(one=make_model(name("one"), 1), two=make_model(name("two"), 2))
    make_endpoint(config=config)

    def invoked() -> list[str]:
        answers = [runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body="1") for _ in range(10)]
        return [answer["InvokedProductionVariant"] for answer in answers]

    assert set(invoked()) == {"one", "two"}
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "one", "DesiredWeight": 0},
            {"VariantName": "two", "DesiredWeight": 1, "DesiredInstanceCount": 3},
        ],
    )
    variants = {variant["VariantName"]: variant for variant in in_service(name)["ProductionVariants"]}
    assert variants["one"]["CurrentWeight"] == 0
    assert variants["two"]["CurrentInstanceCount"] == 3
    assert set(invoked()) == {"two"}

    new = make_config(name("new"), one=name("one"), two=name("two"))
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new, RetainAllVariantProperties=True)
    variants = {variant["VariantName"]: variant for variant in in_service(name)["ProductionVariants"]}
    assert variants["two"]["CurrentInstanceCount"] == 3
    assert set(invoked()) == {"two"}
    with pytest.raises(ClientError, match=r'The variant name\(s\) "three"'):
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "three", "DesiredWeight": 1}]
        )


def test_canary_moves_a_share_first(sagemaker, name, make_endpoint, make_config, make_model, in_service, runtime):
    def config(config: str, factor: float) -> str:
        variant = {
            "VariantName": "all",
            "ModelName": make_model(config, factor),
            "InitialInstanceCount": 2,
            "InstanceType": "ml.m5.large",
        }
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
        return config

    def share_of_new() -> int:
        bodies = [runtime.invoke_endpoint(EndpointName=name, Body="1")["Body"].read() for _ in range(20)]
        return bodies.count(b"5.0\n")

    make_endpoint(config=config(name("old"), 1))
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 2,
    }
    sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=config(name("new"), 5),
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
    )
    assert 0 < eventually(share_of_new) < 20
    assert in_service(name)["EndpointConfigName"] == name("new")
    assert share_of_new() == 20


def test_pipeline_hands_answers_on(sagemaker, name, make_endpoint, make_config, ask):
    # The second container reads the first one's answer: one number per row.
    containers = [{"Image": TOY, "Environment": {"FACTOR": factor}} for factor in ("2", "10")]
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=containers)
    make_endpoint(config=make_config(AllTraffic=name))
    assert ask(name, "1,2\n3,4\n") == "60.0\n140.0\n"
