"""Catalog, workgroups and named queries are created by templates and stored; requests to run them are refused."""

import pytest
from botocore.exceptions import ClientError

from support import wait_for


def template(columns: list[str], query: str, workers: int) -> dict:
    return {
        "Resources": {
            "Database": {
                "Type": "AWS::Glue::Database",
                "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "a_reporting"}},
            },
            "Table": {
                "Type": "AWS::Glue::Table",
                "Properties": {
                    "CatalogId": {"Ref": "AWS::AccountId"},
                    "DatabaseName": {"Ref": "Database"},
                    "TableInput": {
                        "Name": "drift",
                        "Parameters": {"template": {"Fn::Sub": "s3://${Database}/day=${!day}/"}},
                        "StorageDescriptor": {"Columns": [{"Name": name, "Type": "string"} for name in columns]},
                    },
                },
            },
            "Job": {
                "Type": "AWS::Glue::Job",
                "Properties": {
                    "Name": "consolidate",
                    "Role": "arn:aws:iam::000000000000:role/any",
                    "Command": {"Name": "glueetl", "ScriptLocation": "s3://code/script"},
                    "WorkerType": "G.1X",
                    "NumberOfWorkers": workers,
                },
            },
            "Queries": {"Type": "AWS::Athena::WorkGroup", "Properties": {"Name": "a-reporting"}},
            "Query": {
                "Type": "AWS::Athena::NamedQuery",
                "Properties": {
                    "Name": "first",
                    "Database": {"Ref": "Database"},
                    "WorkGroup": {"Ref": "Queries"},
                    "QueryString": query,
                },
            },
        }
    }


def test_resources_are_made_changed_and_removed(aws, deploy):
    glue, athena = aws("glue"), aws("athena")

    def columns():
        table = glue.get_table(DatabaseName="a_reporting", Name="drift")["Table"]
        return [column["Name"] for column in table["StorageDescriptor"]["Columns"]]

    def query(resources):
        return athena.get_named_query(NamedQueryId=resources["Query"])["NamedQuery"]["QueryString"]

    first = deploy("reports", template(["a"], "SELECT 1", 2), "CREATE")
    assert columns() == ["a"]
    table = glue.get_table(DatabaseName="a_reporting", Name="drift")["Table"]
    assert table["Parameters"] == {"template": "s3://a_reporting/day=${day}/"}
    assert query(first) == "SELECT 1"
    assert glue.get_job(JobName=first["Job"])["Job"]["NumberOfWorkers"] == 2
    assert athena.get_work_group(WorkGroup=first["Queries"])["WorkGroup"]["Name"] == "a-reporting"

    second = deploy("reports", template(["a", "b"], "SELECT 2", 3))
    assert columns() == ["a", "b"]
    assert second == first
    assert query(second) == "SELECT 2"
    assert glue.get_job(JobName="consolidate")["Job"]["NumberOfWorkers"] == 3

    aws("cloudformation").delete_stack(StackName="reports")
    # The database is deleted last, because the others refer to it.
    wait_for(lambda: glue.get_databases()["DatabaseList"] == [], limit_s=30)
    wait_for(lambda: "consolidate" not in glue.list_jobs()["JobNames"], limit_s=30)
    wait_for(lambda: athena.list_named_queries(WorkGroup="a-reporting")["NamedQueryIds"] == [], limit_s=30)


@pytest.mark.parametrize(
    ("service", "call", "request_", "code"),
    [
        ("glue", "start_crawler", {"Name": "any"}, "InvalidInputException"),
        ("athena", "start_query_execution", {"QueryString": "SELECT 1"}, "InvalidRequestException"),
    ],
)
def test_what_nobody_runs_is_refused(aws, service, call, request_, code):
    with pytest.raises(ClientError) as error:
        getattr(aws(service), call)(**request_)
    assert error.value.response["Error"]["Code"] == code
    assert "on the local stack" in error.value.response["Error"]["Message"]


def test_a_data_set_is_refreshed(aws):
    refresh = {"AwsAccountId": "000000000000", "DataSetId": "drift", "IngestionId": "run-1"}
    assert aws("quicksight").create_ingestion(**refresh)["IngestionId"] == "run-1"
