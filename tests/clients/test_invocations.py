"""InvokeEndpoint and data capture through boto3."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from support import BUCKET, eventually


@pytest.fixture
def captured(s3, read):
    """The records captured below a prefix, in order, once there are as many as expected."""

    def captured(prefix: str, count: int) -> tuple[list[str], list[dict]]:
        def look():
            keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
            lines = [line for key in keys for line in read(f"s3://{BUCKET}/{key}").splitlines()]
            return (keys, [json.loads(line) for line in lines]) if len(lines) >= count else None

        return eventually(look)

    return captured


def capture_config(name: str, **changes) -> dict:
    config = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/{name}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
    return config | changes


def test_csv_and_json(name, make_endpoint, runtime):
    make_endpoint(factor=3)
    csv = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Accept="text/csv", Body=b"1,2\n3,4")
    assert (csv["ContentType"], csv["Body"].read()) == ("text/csv", b"9.0\n21.0\n")
    assert csv["InvokedProductionVariant"] == "AllTraffic"
    body = json.dumps({"instances": [[1, 2], [3, 4]]})
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
    assert answer["ContentType"] == "application/json"
    assert json.load(answer["Body"]) == {"predictions": [9.0, 21.0]}


def test_custom_attributes_go_through(name, make_endpoint, runtime):
    make_endpoint()
    answer = runtime.invoke_endpoint(EndpointName=name, Body=b"1", CustomAttributes="trace=1")
    assert answer["CustomAttributes"] == "seen:trace=1"


def test_target_variant_answers(name, make_endpoint, make_config, make_model, ask):
    make_endpoint(config=make_config(one=make_model(name("one"), 1), two=make_model(name("two"), 2)))
    assert ask(name, "4", TargetVariant="one") == "4.0\n"
    assert ask(name, "4", TargetVariant="two") == "8.0\n"
    with pytest.raises(ClientError, match="Variant three not found for Endpoint"):
        ask(name, "4", TargetVariant="three")


@pytest.mark.parametrize("status", [400, 500])
def test_error_of_the_container_is_a_model_error(name, make_endpoint, runtime, status):
    make_endpoint()
    with pytest.raises(runtime.exceptions.ModelError) as failed:
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=f"status={status}")
    answer = failed.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (status, f"told to answer {status}")
    assert answer["LogStreamArn"].startswith("arn:aws:logs:")
    side = "client" if status < 500 else "server"
    assert f'Received {side} error ({status}) from primary with message "told to' in answer["Error"]["Message"]


def test_endpoint_that_is_missing(runtime):
    with pytest.raises(runtime.exceptions.ValidationError) as missing:
        runtime.invoke_endpoint(EndpointName="none", Body=b"1")
    assert missing.value.response["Error"]["Message"] == "Endpoint none of account 000000000000 not found."


def test_request_that_is_too_large_or_wrong(client, name, make_endpoint):
    make_endpoint()
    runtime = client("sagemaker-runtime", parameter_validation=False)
    with pytest.raises(ClientError) as refused:
        runtime.invoke_endpoint(EndpointName=name, Body=b"1" * (6_291_456 + 1))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    with pytest.raises(runtime.exceptions.ValidationError, match="inferenceId"):
        runtime.invoke_endpoint(EndpointName=name, Body=b"1", InferenceId="x" * 65)
    with pytest.raises(runtime.exceptions.ValidationError, match="sagemaker-local does not do"):
        runtime.invoke_endpoint(EndpointName=name, Body=b"1", TargetModel="a.tar.gz")


def test_capture_records_what_went_in_and_out(sagemaker, name, make_endpoint, ask, captured):
    make_endpoint(capture=capture_config(name))
    described = sagemaker.describe_endpoint(EndpointName=name)["DataCaptureConfig"]
    assert (described["CaptureStatus"], described["CurrentSamplingPercentage"]) == ("Started", 100)
    started = datetime.now(UTC).replace(microsecond=0)
    ask(name, "1,2\n", InferenceId="row-1", CustomAttributes="trace=7")
    ask(name, '{"instances": [[5]]}', ContentType="application/json")
    ask(name, "3\n", ContentType="text/csv; charset=utf-8")

    keys, records = captured(f"{name}/capture/{name}/AllTraffic/", 3)
    day = datetime.now(UTC).strftime("%Y/%m/%d")
    assert all(key.startswith(f"{name}/capture/{name}/AllTraffic/{day[:7]}") for key in keys)
    by_input = {record["captureData"]["endpointInput"]["observedContentType"]: record for record in records}
    csv = by_input["text/csv"]
    assert csv["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2\n", "encoding": "CSV"},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "3.0\n", "encoding": "CSV"},
    }
    assert csv["eventVersion"] == "0"
    metadata = csv["eventMetadata"]
    assert metadata["inferenceId"] == "row-1"
    assert metadata["customAttributes"] == ["trace=7"]
    asked = datetime.fromisoformat(metadata["inferenceTime"])
    assert timedelta(0) <= asked - started < timedelta(minutes=1)
    sides = by_input["application/json"]["captureData"]
    assert sides["endpointInput"]["encoding"] == sides["endpointOutput"]["encoding"] == "JSON"
    assert "inferenceId" not in by_input["application/json"]["eventMetadata"]
    with_charset = by_input["text/csv; charset=utf-8"]["captureData"]["endpointInput"]
    assert (with_charset["encoding"], base64.b64decode(with_charset["data"])) == ("BASE64", b"3\n")


def test_capture_takes_a_share_and_one_side(name, make_endpoint, ask, captured, sagemaker):
    config = capture_config(name, InitialSamplingPercentage=50, CaptureOptions=[{"CaptureMode": "Output"}])
    make_endpoint(capture=config)
    for _ in range(10):
        ask(name, "1")
    # The remaining records are written when the endpoint is deleted.
    sagemaker.delete_endpoint(EndpointName=name)
    _, records = captured(f"{name}/capture/", 5)
    assert len(records) == 5
    assert all(list(record["captureData"]) == ["endpointOutput"] for record in records)
