"""The SageMaker Python SDK, as data scientists use it, with XGBoost really trained and served."""

import json
import os
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest

from support import BUCKET, CREDENTIALS, REGION, ROLE, eventually

os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"

import sagemaker.session
import sagemaker.utils
from sagemaker import image_uris
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.pipeline import PipelineModel
from sagemaker.predictor import Predictor
from sagemaker.processing import ProcessingInput, ProcessingJob, ProcessingOutput, ScriptProcessor
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.transformer import Transformer

SCRIPTS = Path(__file__).parent / "scripts"
INSTANCE = {"instance_type": "ml.m5.large"}
ONE = {"initial_instance_count": 1, **INSTANCE}


@pytest.fixture(scope="module")
def session(client, s3):
    """An SDK session with local clients, without telemetry, which polls more often than every 5 to 30 seconds."""
    config = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
    impatient = SimpleNamespace(time=time.time, sleep=lambda seconds: time.sleep(min(seconds, 0.1)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sagemaker.session, "time", impatient)
        # The configuration is validated when the session is made, and then again for each of its values, which takes
        # the SDK half a second each.
        patched.setattr(sagemaker.utils, "validate_sagemaker_config", lambda _config: None)
        yield sagemaker.session.Session(
            boto_session=boto3.Session(**CREDENTIALS),
            sagemaker_client=client("sagemaker"),
            sagemaker_runtime_client=client("sagemaker-runtime"),
            default_bucket=BUCKET,
            sagemaker_config=config,
        )


def make_estimator(session, **hyperparameters) -> Estimator:
    return Estimator(
        image_uris.retrieve("xgboost", REGION, "3.0-5"),
        ROLE,
        instance_count=1,
        **INSTANCE,
        output_path=f"s3://{BUCKET}/sdk/models",
        base_job_name="cars",
        sagemaker_session=session,
        hyperparameters={"objective": "reg:squarederror", "num_round": 30} | hyperparameters,
    )


@pytest.fixture(scope="module")
def data(session, tmp_path_factory):
    """Training data in S3: a car's price falls with its age (0–19) and its mileage (0–9)."""
    path = tmp_path_factory.mktemp("data") / "cars.csv"
    path.write_text("".join(f"{100 - 4 * age - km},{age},{km}\n" for age in range(20) for km in range(10)))
    return TrainingInput(session.upload_data(str(path), key_prefix="sdk/data"), content_type="text/csv")


@pytest.fixture(scope="module")
def estimator(session, data):
    estimator = make_estimator(session)
    estimator.fit({"train": data, "validation": data}, logs=False)
    return estimator


@pytest.fixture(scope="module")
def predictor(session, estimator):
    predictor = estimator.deploy(
        **ONE,
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
        data_capture_config=DataCaptureConfig(
            enable_capture=True,
            sampling_percentage=100,
            destination_s3_uri=f"s3://{BUCKET}/sdk/capture",
            sagemaker_session=session,
        ),
    )
    yield predictor
    predictor.delete_endpoint()


def prices(answer: list[list[str]]) -> list[float]:
    """The numbers of a CSV answer, whether they are on one line or on several."""
    return [float(cell) for row in answer for cell in row]


def test_estimator_trains(session, estimator, unpacked):
    job = session.describe_training_job(estimator.latest_training_job.name)
    assert job["TrainingJobStatus"] == "Completed"
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:rmse"] < 1
    assert "xgboost-model" in unpacked(estimator.model_data, text=False)


def test_estimator_tells_why_training_failed(session, data):
    with pytest.raises(UnexpectedStatusException) as failed:
        make_estimator(session, objective="reg:nonsense").fit({"train": data}, logs=False)
    assert failed.value.actual_status == "Failed"
    assert "reg:nonsense" in str(failed.value)


def test_estimator_attaches_to_a_job(session, estimator):
    attached = Estimator.attach(estimator.latest_training_job.name, sagemaker_session=session)
    assert attached.model_data == estimator.model_data
    assert attached.hyperparameters()["num_round"] == "30"


def test_predictor_predicts(predictor):
    [new, old] = prices(predictor.predict([[0, 0], [19, 9]]))
    assert abs(new - 100) < 2 and abs(old - 15) < 2


def test_predictor_captures(predictor, s3, read):
    predictor.predict([[1, 1]], inference_id="car-1")
    prefix = f"sdk/capture/{predictor.endpoint_name}/AllTraffic/"

    def captured() -> bool:
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
        lines = [json.loads(line) for key in keys for line in read(f"s3://{BUCKET}/{key}").splitlines()]
        return any(line["eventMetadata"].get("inferenceId") == "car-1" for line in lines)

    eventually(captured)


def test_predictor_updates_its_endpoint(session, predictor, data):
    constant = make_estimator(session, num_round=1, eta=0)
    constant.fit({"train": data}, logs=False)
    model = constant.create_model(name=f"constant-{int(time.time() * 1000)}")
    model.create(**INSTANCE)
    before = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
    predictor.update_endpoint(model_name=model.name, **ONE)
    after = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
    assert after["EndpointConfigName"] != before["EndpointConfigName"]
    assert after["DataCaptureConfig"]["EnableCapture"] is True
    [new, old] = prices(predictor.predict([[0, 0], [19, 9]]))
    assert new == old


def test_endpoint_and_model_are_deleted(session, estimator):
    predictor = estimator.deploy(**ONE, endpoint_name=f"short-{int(time.time() * 1000)}")
    name = predictor.endpoint_name
    predictor.delete_model()
    predictor.delete_endpoint()
    eventually(lambda: not session.sagemaker_client.list_endpoints(NameContains=name)["Endpoints"])
    assert not session.sagemaker_client.list_endpoint_configs(NameContains=name)["EndpointConfigs"]


def test_transformer_joins_predictions_to_rows(session, estimator, put, read, name):
    transformer: Transformer = estimator.transformer(
        instance_count=1,
        **INSTANCE,
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=f"s3://{BUCKET}/{name}/scored",
    )
    transformer.transform(
        put("cars.csv", "a,0,0\nb,19,9\n"),
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        logs=False,
    )
    rows = [line.split(",") for line in read(f"s3://{BUCKET}/{name}/scored/cars.csv.out").decode().splitlines()]
    assert [row[:3] for row in rows] == [["a", "0", "0"], ["b", "19", "9"]]
    assert abs(float(rows[0][3]) - 100) < 2 and abs(float(rows[1][3]) - 15) < 2
    attached = Transformer.attach(transformer.latest_transform_job.name, sagemaker_session=session)
    assert attached.output_path == transformer.output_path


@pytest.mark.parametrize("kind", [SKLearnProcessor, ScriptProcessor])
def test_processor_runs_a_script(session, put, read, name, kind):
    image = image_uris.retrieve("sklearn", REGION, "1.2-1", **INSTANCE)
    what = {"framework_version": "1.2-1"} if kind is SKLearnProcessor else {"image_uri": image, "command": ["python3"]}
    processor = kind(role=ROLE, instance_count=1, **INSTANCE, sagemaker_session=session, **what)
    processor.run(
        code=str(SCRIPTS / "count_rows.py"),
        inputs=[ProcessingInput(source=put("in/cars.csv", "1\n2\n"), destination="/opt/ml/processing/cars")],
        outputs=[ProcessingOutput(source="/opt/ml/processing/output", destination=f"s3://{BUCKET}/{name}/out")],
        arguments=["--input", "/opt/ml/processing/cars", "--output", "/opt/ml/processing/output"],
        logs=False,
    )
    assert read(f"s3://{BUCKET}/{name}/out/rows.txt").startswith(b"2 rows, scikit-learn 1.2.")
    job = ProcessingJob.from_processing_name(session, processor.latest_job.job_name)
    assert [output.destination for output in job.outputs] == [f"s3://{BUCKET}/{name}/out"]


def test_pipeline_model_serves_features_and_algorithm(session, estimator, put, name, tmp_path):
    (tmp_path / "columns.json").write_text("[1, 2]")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "columns.json", "columns.json")
    features = Model(
        image_uris.retrieve("sklearn", REGION, "1.2-1", **INSTANCE),
        model_data=put("features/model.tar.gz", (tmp_path / "model.tar.gz").read_bytes()),
        role=ROLE,
        source_dir=str(SCRIPTS),
        entry_point="inference.py",
        sagemaker_session=session,
    )
    pipeline = PipelineModel(
        models=[features, estimator.create_model()],
        role=ROLE,
        name=name,
        predictor_cls=Predictor,
        sagemaker_session=session,
    )
    predictor = pipeline.deploy(**ONE, serializer=CSVSerializer(), deserializer=CSVDeserializer())
    try:
        [new, old] = prices(predictor.predict([["ford", 0, 0], ["vw", 19, 9]]))
        assert abs(new - 100) < 2 and abs(old - 15) < 2
    finally:
        predictor.delete_endpoint()
