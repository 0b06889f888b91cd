"""A stack is deployed, deployed again with changes, and refused if LocalStack would only pretend to deploy it."""

import copy
import json
import urllib.error
import urllib.request

import pytest

from drivetrain_localstack.apigateway import content_type, fill_template, validation_error
from drivetrain_localstack.cloudformation import differs_in
from support import package, wait_for

ASSUME = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
INTEGRATION = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
INTEGRATION["responses"] = {"default": {"statusCode": 200, "responseTemplates": {"application/json": '{"passed": 1}'}}}


def api_body(instances: int) -> dict:
    """An API with one path that accepts at most this many instances in a request."""
    schema = {
        "type": "object",
        "required": ["instances"],
        "properties": {"instances": {"type": "array", "maxItems": instances}},
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "api", "version": "1"},
        "paths": {
            "/predictions": {
                "post": {
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
                    },
                    "x-amazon-apigateway-request-validator": "body",
                    "x-amazon-apigateway-integration": INTEGRATION,
                    "responses": {"200": {"description": "ok"}},
                }
            }
        },
        "components": {"schemas": {"Request": schema}},
        "x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}},
        "x-amazon-apigateway-gateway-responses": {
            "BAD_REQUEST_BODY": {
                "statusCode": 422,
                "responseTemplates": {"application/json": '{"error": "$context.error.validationErrorString"}'},
                "responseParameters": {"gatewayresponse.header.X-Kind": "'body'"},
            }
        },
    }


def template(bucket: str, colour: str = "red", suffix: str = ".csv", days: int = 7, instances: int = 1) -> dict:
    image = {"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "xgboost"]}
    return {
        "Mappings": {"Images": {"us-east-1": {"xgboost": "image"}}},
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": ASSUME}},
            "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "provided.al2023",
                    "Handler": "bootstrap",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"S3Bucket": bucket, "S3Key": "function.zip"},
                    "ReservedConcurrentExecutions": 2 + instances,
                    "Environment": {"Variables": {"COLOUR": colour, "IMAGE": image}},
                },
            },
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                },
            },
            "Invoke": {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Qualifier": "$LATEST",
                    "MaximumRetryAttempts": 1,
                    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}},
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {"source": ["aws.s3"], "detail": {"object": {"key": [{"suffix": suffix}]}}},
                    "Targets": [{"Id": f"to{suffix}", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
                },
            },
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api", "Body": api_body(instances)}},
            f"Deployment{instances}": {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": f"Deployment{instances}"},
                    "StageName": "v1",
                },
            },
        },
    }


@pytest.fixture(scope="module")
def bucket(aws) -> str:
    aws("s3").create_bucket(Bucket="deployment")
    aws("s3").put_object(Bucket="deployment", Key="function.zip", Body=package())
    return "deployment"


def post(stack, api: str, body: bytes, kind: str = "application/json"):
    request = urllib.request.Request(
        f"{stack.url}/_aws/execute-api/{api}/v1/predictions", data=body, headers={"Content-Type": kind}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read()), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


def test_a_stack_can_be_deployed_again_with_changes(aws, stack, deploy, bucket):
    first = deploy("whole", template(bucket), "CREATE")
    function = first["Function"]
    assert aws("lambda").get_function_concurrency(FunctionName=function)["ReservedConcurrentExecutions"] == 3
    assert post(stack, first["Api"], b'{"instances": [1, 2]}')[0] == 422

    second = deploy("whole", template(bucket, colour="green", suffix=".txt", days=30, instances=2))
    kept = set(first) - {"Deployment1"}
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    assert "Deployment1" not in second

    configuration = aws("lambda").get_function_configuration(FunctionName=function)
    assert configuration["Environment"]["Variables"] == {"COLOUR": "green", "IMAGE": "image"}
    assert aws("lambda").get_function_concurrency(FunctionName=function)["ReservedConcurrentExecutions"] == 4
    # Everything that belongs to the function is still there.
    invoke = aws("lambda").get_function_event_invoke_config(FunctionName=function)
    assert invoke["DestinationConfig"]["OnFailure"]["Destination"].startswith("arn:aws:sqs:")
    assert len(json.loads(aws("lambda").get_policy(FunctionName=function)["Policy"])["Statement"]) == 1

    rule = aws("events").describe_rule(Name=first["Rule"])
    assert json.loads(rule["EventPattern"])["detail"]["object"]["key"] == [{"suffix": ".txt"}]
    targets = aws("events").list_targets_by_rule(Rule=first["Rule"])["Targets"]
    assert [target["Id"] for target in targets] == ["to.txt"]
    groups = aws("logs").describe_log_groups(logGroupNamePrefix=first["Logs"])["logGroups"]
    assert groups[0]["retentionInDays"] == 30
    assert post(stack, first["Api"], b'{"instances": [1, 2]}')[:2] == (200, {"passed": 1})

    aws("cloudformation").delete_stack(StackName="whole")
    wait_for(lambda: function not in str(aws("lambda").list_functions()["Functions"]))


def test_requests_are_validated_by_their_content_type(stack, deploy, bucket):
    document = template(bucket)
    kept = ("Api", "Deployment1", "Stage")
    document["Resources"] = {name: document["Resources"][name] for name in kept}
    api = deploy("validating", document, "CREATE")["Api"]
    status, body, headers = post(stack, api, b'{"instances": [1, 2]}')
    assert (status, headers["X-Kind"]) == (422, "body")
    assert body == {"error": "[[1, 2] is too long]"}
    assert post(stack, api, b"no json")[0] == 422
    assert post(stack, api, b'{"instances": [1]}')[0] == 200
    assert post(stack, api, b'{"instances": [1, 2]}', "application/json; charset=utf-8")[0] == 422
    # A body whose type has no model is not validated.
    assert post(stack, api, b"a,b\n1,2\n", "text/csv")[0] != 422


def test_a_key_that_is_read_names_its_stages_as_when_it_was_made(aws):
    client = aws("apigateway")
    api = client.create_rest_api(name="keyed")["id"]
    resource = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=resource, httpMethod="GET", type="MOCK")
    client.create_deployment(restApiId=api, stageName="v1")
    made = client.create_api_key(name="key", enabled=True, stageKeys=[{"restApiId": api, "stageName": "v1"}])
    read = client.get_api_key(apiKey=made["id"], includeValue=True)
    assert read["stageKeys"] == made["stageKeys"] == [f"{api}/v1"]
    assert read["value"] == made["value"]


def test_a_type_that_does_nothing_fails_the_deployment(aws, deploy):
    dashboard = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{}"}}
    queue = {"Type": "AWS::SQS::Queue"}
    deploy("pretending", {"Resources": {"Queue": queue}}, "CREATE")
    with pytest.raises(AssertionError, match="UPDATE_FAILED"):
        deploy("pretending", {"Resources": {"Queue": queue, "Dashboard": dashboard}})


def test_a_type_without_update_fails_the_deployment(aws, deploy):
    def document(cidr: str) -> dict:
        return {
            "Resources": {
                "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": cidr}}
            }
        }

    deploy("updating", document("true"), "CREATE")
    with pytest.raises(AssertionError, match="UPDATE_FAILED"):
        deploy("updating", document("false"))


def test_replacement_needs_another_value():
    pointers = ["/properties/Name", "/properties/Target/Id"]
    before = {"Name": "a", "Target": {"Id": 1}, "Size": 1}
    assert not differs_in(pointers, before, copy.deepcopy(before) | {"Size": 2})
    assert differs_in(pointers, before, before | {"Name": "b"})
    assert differs_in(pointers, before, before | {"Target": {"Id": 2}})
    assert differs_in(pointers, before, {"Name": "a"})
    assert not differs_in(pointers, {"Name": "a"}, {"Name": "a", "Size": 1})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content-Type": "Text/CSV; charset=utf-8"}, "text/csv"),
        ({"content-type": "application/json"}, "application/json"),
        ({}, "application/json"),
    ],
)
def test_content_type(headers, expected):
    assert content_type(headers) == expected


def test_a_gateway_response_is_a_template():
    variables = {"error": {"messageString": 'say "no"', "validationErrorString": '["a"]'}, "requestId": "r"}
    template = (
        '{"m": $context.error.messageString, "v": "$context.error.validationErrorString $context.requestId$context.no"}'
    )
    assert json.loads(fill_template(template, variables)) == {"m": 'say "no"', "v": '["a"] r'}


def test_a_validation_error_says_what_is_wrong():
    assert validation_error(b"{}", {"required": ["instances"]}) == "['instances' is a required property]"
    assert validation_error(b"{", {}).startswith("[the body is no JSON")
