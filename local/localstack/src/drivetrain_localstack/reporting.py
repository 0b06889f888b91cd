"""Glue's catalog and jobs, Athena's workgroups and named queries, and QuickSight: resources are stored, but only Glue
jobs can be run.

Moto, which is part of LocalStack, answers their requests, and CloudFormation creates their resources through them. Moto
would also report runs and queries as finished that were never executed. Therefore `glue_jobs` handles runs, and the
others are refused.
"""

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
)
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import Service, aws_provider

from drivetrain_localstack.glue_jobs import GlueJobs


@aws_provider(api="glue")
def glue() -> Service:
    jobs = GlueJobs()
    return _kept(
        "glue",
        StartJobRun=jobs.start,
        GetJobRun=jobs.get,
        StartCrawler=_refuse("InvalidInputException", "no crawler runs here"),
    )


@aws_provider(api="athena")
def athena() -> Service:
    return _kept(
        "athena",
        StartQueryExecution=_refuse("InvalidRequestException", "no query engine runs here: read the files themselves"),
        UpdateNamedQuery=_update_named_query,
        DeleteNamedQuery=_delete_named_query,
    )


@aws_provider(api="quicksight")
def quicksight() -> Service:
    return _kept("quicksight")


def _kept(api: str, **own) -> Service:
    model = load_service(api)
    return Service(name=api, skeleton=Skeleton(model, dict.fromkeys(model.operation_names, _proxy_moto) | own))


def _refuse(code: str, why: str):
    def refuse(context: RequestContext, _request) -> None:
        raise CommonServiceException(code, f"{context.operation.name} on the local stack: {why}.")

    return refuse


# Moto can only create and list named queries.


def _update_named_query(context: RequestContext, request: dict) -> dict:
    query = _named_queries(context).get(request["NamedQueryId"])
    if query is None:
        raise CommonServiceException("InvalidRequestException", f"there is no query {request['NamedQueryId']}")
    query.name, query.query_string = request["Name"], request["QueryString"]
    query.description = request.get("Description", query.description)
    return {}


def _delete_named_query(context: RequestContext, request: dict) -> dict:
    _named_queries(context).pop(request["NamedQueryId"], None)
    return {}


def _named_queries(context: RequestContext) -> dict:
    from moto.backends import get_backend

    return get_backend("athena")[context.account_id][context.region].named_queries


class Kept(ResourceProvider):
    """A resource that is created by one call and removed by one call; `make` returns the value of `Ref`."""

    # The properties that can't be changed in place.
    FIXED: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls.SCHEMA = {
            "primaryIdentifier": ["/properties/Id"],
            "readOnlyProperties": ["/properties/Id"],
            "createOnlyProperties": [f"/properties/{pointer}" for pointer in cls.FIXED],
        }

    def create(self, request) -> ProgressEvent:
        model = request.desired_state
        model["Id"] = self.make(request.aws_client_factory, model)
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)

    def update(self, request) -> ProgressEvent:
        model = request.desired_state | {"Id": request.previous_state["Id"]}
        self.change(request.aws_client_factory, model)
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)

    def delete(self, request) -> ProgressEvent:
        self.remove(request.aws_client_factory, request.desired_state)
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=request.desired_state)

    def change(self, clients, model) -> None:
        self.remove(clients, model)
        self.make(clients, model)


class GlueDatabase(Kept):
    TYPE = "AWS::Glue::Database"
    FIXED = ("DatabaseInput/Name",)

    def make(self, clients, model) -> str:
        clients.glue.create_database(DatabaseInput=model["DatabaseInput"])
        return model["DatabaseInput"]["Name"]

    def change(self, clients, model) -> None:
        clients.glue.update_database(Name=model["Id"], DatabaseInput=model["DatabaseInput"])

    def remove(self, clients, model) -> None:
        clients.glue.delete_database(Name=model["Id"])


class GlueTable(Kept):
    TYPE = "AWS::Glue::Table"
    FIXED = ("DatabaseName", "TableInput/Name")

    def make(self, clients, model) -> str:
        clients.glue.create_table(DatabaseName=model["DatabaseName"], TableInput=model["TableInput"])
        return model["TableInput"]["Name"]

    def change(self, clients, model) -> None:
        clients.glue.update_table(DatabaseName=model["DatabaseName"], TableInput=model["TableInput"])

    def remove(self, clients, model) -> None:
        clients.glue.delete_table(DatabaseName=model["DatabaseName"], Name=model["Id"])


class GlueJob(Kept):
    TYPE = "AWS::Glue::Job"
    FIXED = ("Name",)

    def make(self, clients, model) -> str:
        clients.glue.create_job(**{name: value for name, value in model.items() if name != "Id"})
        return model["Name"]

    def remove(self, clients, model) -> None:
        clients.glue.delete_job(JobName=model["Id"])


class AthenaWorkGroup(Kept):
    TYPE = "AWS::Athena::WorkGroup"
    FIXED = ("Name",)

    def make(self, clients, model) -> str:
        clients.athena.create_work_group(
            Name=model["Name"],
            Description=model.get("Description", ""),
            Configuration=model.get("WorkGroupConfiguration", {}),
        )
        return model["Name"]

    def remove(self, clients, model) -> None:
        clients.athena.delete_work_group(WorkGroup=model["Id"], RecursiveDeleteOption=True)


class AthenaNamedQuery(Kept):
    TYPE = "AWS::Athena::NamedQuery"
    FIXED = ("Database", "WorkGroup")

    def make(self, clients, model) -> str:
        query = {name: value for name, value in model.items() if name != "Id"}
        return clients.athena.create_named_query(**query)["NamedQueryId"]

    def change(self, clients, model) -> None:
        changed = {name: model[name] for name in ("Name", "Description", "QueryString") if name in model}
        clients.athena.update_named_query(NamedQueryId=model["Id"], **changed)

    def remove(self, clients, model) -> None:
        clients.athena.delete_named_query(NamedQueryId=model["Id"])


def _plugin(provider: type[Kept]) -> type[CloudFormationResourceProviderPlugin]:
    def load(self) -> None:
        self.factory = provider

    return type(
        f"{provider.__name__}Plugin", (CloudFormationResourceProviderPlugin,), {"name": provider.TYPE, "load": load}
    )


GlueDatabasePlugin = _plugin(GlueDatabase)
GlueTablePlugin = _plugin(GlueTable)
GlueJobPlugin = _plugin(GlueJob)
AthenaWorkGroupPlugin = _plugin(AthenaWorkGroup)
AthenaNamedQueryPlugin = _plugin(AthenaNamedQuery)
