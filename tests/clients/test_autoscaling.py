"""Application Auto Scaling through boto3."""

import pytest
from botocore.exceptions import ClientError

from support import QUICKLY, eventually

TARGET = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@pytest.fixture
def target(name, make_endpoint, autoscaling) -> dict:
    """A registered variant of an endpoint in service."""
    target = {**TARGET, "ResourceId": f"endpoint/{make_endpoint()}/variant/AllTraffic"}
    autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    return target


def tracking(value: float) -> dict:
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    return {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": value,
            "PredefinedMetricSpecification": metric,
            "ScaleInCooldown": 600,
        },
    }


def test_target_is_registered_changed_and_deregistered(autoscaling, target):
    def described() -> list[dict]:
        pages = autoscaling.get_paginator("describe_scalable_targets").paginate(
            ServiceNamespace="sagemaker", ResourceIds=[target["ResourceId"]]
        )
        return [target for page in pages for target in page["ScalableTargets"]]

    [before] = described()
    assert (before["MinCapacity"], before["MaxCapacity"]) == (1, 4)
    autoscaling.register_scalable_target(**target, MaxCapacity=8, SuspendedState={"DynamicScalingInSuspended": True})
    [after] = described()
    assert (after["MinCapacity"], after["MaxCapacity"]) == (1, 8)
    assert after["SuspendedState"]["DynamicScalingInSuspended"] is True
    assert after["ScalableTargetARN"] == before["ScalableTargetARN"]
    autoscaling.deregister_scalable_target(**target)
    assert described() == []
    with pytest.raises(autoscaling.exceptions.ObjectNotFoundException, match="No scalable target found"):
        autoscaling.deregister_scalable_target(**target)


def test_target_is_a_variant_that_exists(autoscaling):
    with pytest.raises(autoscaling.exceptions.ValidationException, match="endpoint/none/variant/AllTraffic"):
        autoscaling.register_scalable_target(
            **TARGET, ResourceId="endpoint/none/variant/AllTraffic", MinCapacity=1, MaxCapacity=2
        )


def test_policies(autoscaling, target, name):
    put = autoscaling.put_scaling_policy(PolicyName=name, **target, **tracking(70))
    again = autoscaling.put_scaling_policy(PolicyName=name, **target, **tracking(50))
    assert put["PolicyARN"] == again["PolicyARN"]
    described = autoscaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=target["ResourceId"], PolicyNames=[name]
    )
    [policy] = described["ScalingPolicies"]
    assert (
        policy["TargetTrackingScalingPolicyConfiguration"] == tracking(50)["TargetTrackingScalingPolicyConfiguration"]
    )
    autoscaling.delete_scaling_policy(PolicyName=name, **target)
    with pytest.raises(autoscaling.exceptions.ObjectNotFoundException, match="No scaling policy found"):
        autoscaling.delete_scaling_policy(PolicyName=name, **target)


def test_policy_needs_its_target(autoscaling, name):
    with pytest.raises(autoscaling.exceptions.ObjectNotFoundException, match="No scalable target registered"):
        autoscaling.put_scaling_policy(
            PolicyName=name, **TARGET, ResourceId="endpoint/none/variant/AllTraffic", **tracking(1)
        )


def test_tags_of_a_target(autoscaling, target):
    [described] = autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[target["ResourceId"]]
    )["ScalableTargets"]
    arn = described["ScalableTargetARN"]
    autoscaling.tag_resource(ResourceARN=arn, Tags={"team": "a", "run": "r1"})
    autoscaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert autoscaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"run": "r1"}
    with pytest.raises(autoscaling.exceptions.ResourceNotFoundException):
        autoscaling.list_tags_for_resource(ResourceARN=arn + "0")


def test_registration_outlives_an_update_and_goes_with_the_endpoint(
    sagemaker, autoscaling, target, name, make_config, make_model
):
    def registered() -> bool:
        ids = [target["ResourceId"]]
        return bool(
            autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=ids)["ScalableTargets"]
        )

    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config(name("new")))
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICKLY)
    assert registered()
    renamed = make_config(name("renamed"), other=make_model(name("renamed")))
    with pytest.raises(ClientError, match="must be deregistered as scalable targets"):
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=renamed)
    sagemaker.delete_endpoint(EndpointName=name)
    eventually(lambda: not registered())
