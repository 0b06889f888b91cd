"""CloudFormation: a changed stack can be deployed again, and fewer properties are silently ignored.

LocalStack replaces a resource as soon as anything it refers to has changed. If it can't update a type, it leaves the
resource unchanged, with a line in its log. Here a resource is replaced only if a property that requires it has another
value, the platform's types are updated, and a type that can't be updated makes the deployment fail.
"""

import json

POLL_INTERVAL_S = 0.2


def apply_patches() -> None:
    from localstack.aws.api.cloudformation import ChangeSetType, StackStatus
    from localstack.services.apigateway.resource_providers.aws_apigateway_deployment import (
        ApiGatewayDeploymentProvider,
    )
    from localstack.services.apigateway.resource_providers.aws_apigateway_restapi import ApiGatewayRestApiProvider
    from localstack.services.cloudformation.engine.v2.change_set_model import ChangeSetModel, TerminalValue
    from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (
        ChangeSetModelPreproc,
        PreprocEntityDelta,
    )
    from localstack.services.cloudformation.engine.v2.change_set_model_transform import ChangeSetModelTransform
    from localstack.services.cloudformation.engine.validations import ValidationError
    from localstack.services.cloudformation.resource_provider import (
        OperationStatus,
        ProgressEvent,
        ResourceProviderExecutor,
    )
    from localstack.services.lambda_.resource_providers.aws_lambda_function import LambdaFunctionProvider
    from localstack.services.logs.resource_providers.aws_logs_loggroup import LogsLogGroupProvider
    from localstack.utils.patch import patch

    @patch(ChangeSetModelTransform.visit_node_intrinsic_function_ref)
    def ref_before_transforms(fn, self, node):
        try:
            return fn(self, node)
        except ValidationError:
            # A resource that the Serverless transform is about to create, such as the key of an API.
            return self.visit(node.arguments)

    @patch(ChangeSetModelPreproc._resolve_reference)
    def resolve_reference(fn, self, logical_id: str):
        if not logical_id.startswith("!"):
            return fn(self, logical_id)
        # `${!word}` in a Fn::Sub stands for the literal text `${word}`.
        literal = f"${{{logical_id[1:]}}}"
        return PreprocEntityDelta(before=literal, after=literal)

    @patch(ChangeSetModel._resolve_intrinsic_function_fn_find_in_map)
    def find_in_map(fn, self, arguments):
        try:
            return fn(self, arguments)
        except NotImplementedError:
            # The key is given by a reference (such as the region) that hasn't changed, but the mapping may have.
            name = arguments.array[0]
            if not isinstance(name, TerminalValue):
                raise
            return self._retrieve_mapping(mapping_name=name.value).change_type

    @patch(ChangeSetModelExecutor._execute_resource_change)
    def execute_resource_change(fn, self, name, before, after) -> None:
        if getattr(after, "requires_replacement", False) and getattr(before, "properties", None):
            provider = ResourceProviderExecutor.try_load_resource_provider(after.resource_type)
            after.requires_replacement = differs_in(
                provider.SCHEMA.get("createOnlyProperties", []),
                before.properties.properties,
                after.properties.properties,
            )
        fn(self, name, before, after)

    @patch(ChangeSetModelExecutor.execute)
    def execute(fn, self):
        result = fn(self)
        if result.failure_message and self._change_set.change_set_type == ChangeSetType.UPDATE:
            # Nothing has been rolled back, and clients that wait for an update don't expect ROLLBACK_COMPLETE.
            self._change_set.stack.set_stack_status(StackStatus.UPDATE_FAILED, result.failure_message)
        return result

    @patch(ResourceProviderExecutor.deploy_loop)
    def deploy_loop(fn, self, *args, **kwargs):
        # LocalStack checks only every 5 s whether a function has become active, which takes about 100 ms.
        return fn(self, *args, **kwargs | {"sleep_time": POLL_INTERVAL_S})

    @patch(ResourceProviderExecutor.execute_action)
    def execute_action(fn, self, provider, payload):
        if payload["action"] not in ("Modify", "Dynamic") or not payload["requestData"].get(
            "previousResourceProperties"
        ):
            return fn(self, provider, payload)
        desired = payload["requestData"]["resourceProperties"]
        previous = payload["requestData"]["previousResourceProperties"]
        resource_type = payload["resourceType"]
        if all(previous.get(name) == value for name, value in desired.items()):
            # Only something that the resource refers to has changed.
            removed = provider.SCHEMA.get("properties", {}).keys() & previous.keys() - desired.keys()
            if not removed - _read_only(provider) - _generated(provider):
                return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=previous)
        if resource_type in WRITTEN_WHOLE:
            return _write_whole(self, provider, payload)
        if resource_type in UPDATES:
            return _update(self, payload, UPDATES[resource_type])
        if _has_update(provider):
            return fn(self, provider, payload)
        raise RuntimeError(f"LocalStack cannot update an {resource_type}: take the local stack down and up again.")

    def _write_whole(executor, provider, payload):
        request = _request(executor, payload)
        identifier = request.previous_state["Id"]
        if name_property := WRITTEN_WHOLE[request.resource_type]:
            request.desired_state.setdefault(name_property, identifier.rsplit("|", 1)[-1])
        if request.resource_type == "AWS::Events::Rule":
            _remove_targets(request)
        event = provider.create(request)
        event.resource_model["Id"] = identifier
        return event

    def _update(executor, payload, update):
        request = _request(executor, payload)
        update(request)
        return ProgressEvent(
            status=OperationStatus.SUCCESS, resource_model=request.previous_state | request.desired_state
        )

    def _request(executor, payload):
        from localstack.services.cloudformation.resource_provider import convert_payload

        return convert_payload(stack_name=executor.stack_name, stack_id=executor.stack_id, payload=payload)

    @patch(ApiGatewayRestApiProvider.create)
    def create_rest_api(fn, self, request):
        event = fn(self, request)
        _put_gateway_responses(request, event.resource_model["RestApiId"])
        return event

    @patch(ApiGatewayDeploymentProvider.delete)
    def delete_deployment(fn, self, request):
        # LocalStack would first delete every stage of the API, whatever deployment it serves.
        api, model = request.aws_client_factory.apigateway, request.desired_state
        try:
            stages = api.get_stages(restApiId=model["RestApiId"])["item"]
        except api.exceptions.NotFoundException:
            return fn(self, request)
        if any(stage["deploymentId"] == model["DeploymentId"] for stage in stages):
            return fn(self, request)
        api.delete_deployment(restApiId=model["RestApiId"], deploymentId=model["DeploymentId"])
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)

    @patch(LogsLogGroupProvider.create)
    def create_log_group(fn, self, request):
        event = fn(self, request)
        _put_retention(request)
        return event

    def _put_concurrency(fn, self, request):
        event = fn(self, request)
        limit = request.desired_state.get("ReservedConcurrentExecutions")
        if limit is not None and event.status == OperationStatus.SUCCESS:
            request.aws_client_factory.lambda_.put_function_concurrency(
                FunctionName=event.resource_model["FunctionName"], ReservedConcurrentExecutions=int(limit)
            )
        return event

    patch(LambdaFunctionProvider.create)(_put_concurrency)
    patch(LambdaFunctionProvider.update)(_put_concurrency)


def differs_in(create_only_properties: list[str], before: dict, after: dict) -> bool:
    """Whether one of these properties (JSON pointers below ``/properties/``) has another value than before."""

    def value_at(properties: dict, pointer: str):
        value = properties
        for name in pointer.removeprefix("/properties/").split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return any(value_at(before, pointer) != value_at(after, pointer) for pointer in create_only_properties)


def _read_only(provider) -> set[str]:
    return {pointer.removeprefix("/properties/") for pointer in provider.SCHEMA.get("readOnlyProperties", [])}


def _generated(provider) -> set[str]:
    """The properties that identify a resource; LocalStack generates those that the template omits."""
    return {pointer.removeprefix("/properties/") for pointer in provider.SCHEMA.get("primaryIdentifier", [])}


def _has_update(provider) -> bool:
    # Providers without one have a method whose whole body is `raise NotImplementedError`.
    return "NotImplementedError" not in type(provider).update.__code__.co_names


def _remove_targets(request) -> None:
    events = request.aws_client_factory.events
    rule = request.desired_state["Name"]
    kept = {target["Id"] for target in request.desired_state.get("Targets") or []}
    ids = [target["Id"] for target in events.list_targets_by_rule(Rule=rule)["Targets"] if target["Id"] not in kept]
    if ids:
        events.remove_targets(Rule=rule, Ids=ids)


def _update_rest_api(request) -> None:
    api = request.aws_client_factory.apigateway
    api_id = request.previous_state["RestApiId"]
    body = request.desired_state["Body"]
    api.put_rest_api(
        restApiId=api_id,
        mode="overwrite",
        body=json.dumps(body) if isinstance(body, dict) else body,
        parameters={"basepath": "ignore"},
    )
    _put_gateway_responses(request, api_id)


def _put_gateway_responses(request, api_id: str) -> None:
    body = request.desired_state.get("Body")
    if not isinstance(body, dict):
        return
    for response_type, response in body.get("x-amazon-apigateway-gateway-responses", {}).items():
        request.aws_client_factory.apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=response_type,
            responseTemplates=response.get("responseTemplates", {}),
            responseParameters=response.get("responseParameters", {}),
            **({"statusCode": str(response["statusCode"])} if "statusCode" in response else {}),
        )


def _update_stage(request) -> None:
    request.aws_client_factory.apigateway.update_stage(
        restApiId=request.desired_state["RestApiId"],
        stageName=request.desired_state["StageName"],
        patchOperations=[
            {"op": "replace", "path": "/deploymentId", "value": request.desired_state["DeploymentId"]},
        ],
    )


def _put_retention(request) -> None:
    days = request.desired_state.get("RetentionInDays")
    if days is not None:
        request.aws_client_factory.logs.put_retention_policy(
            logGroupName=request.desired_state.get("LogGroupName") or request.previous_state["LogGroupName"],
            retentionInDays=int(days),
        )


# Types whose creation overwrites an existing resource, with the property that names it. None: it belongs to another
# resource.
WRITTEN_WHOLE = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::EventInvokeConfig": None,
    "AWS::S3::BucketPolicy": None,
    "AWS::SNS::TopicPolicy": None,
}
UPDATES = {
    "AWS::ApiGateway::RestApi": _update_rest_api,
    "AWS::ApiGateway::Stage": _update_stage,
    "AWS::Logs::LogGroup": _put_retention,
}
