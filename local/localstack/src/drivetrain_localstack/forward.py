"""Services that LocalStack lacks: their requests are forwarded unchanged to the server at ``SAGEMAKER_LOCAL_URL``.

Responses are returned unchanged, with the status, body and error code of that server.
"""

import os

import requests
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.forwarder import AwsRequestProxy
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.http import Response
from localstack.services.plugins import Service, aws_provider

# These headers describe one connection and must not be forwarded to another (RFC 9110, 7.6.1).
HOP_BY_HOP_HEADERS = {
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


@aws_provider(api="sagemaker")
def sagemaker() -> Service:
    return _forwarded("sagemaker")


@aws_provider(api="sagemaker-runtime")
def sagemaker_runtime() -> Service:
    return _forwarded("sagemaker-runtime")


@aws_provider(api="application-autoscaling")
def application_autoscaling() -> Service:
    return _forwarded("application-autoscaling")


def _forwarded(api: str) -> Service:
    url = os.environ.get("SAGEMAKER_LOCAL_URL", "").rstrip("/")
    proxy = AwsRequestProxy(url, parse_response=False)

    def forward(context: RequestContext, _request) -> Response:
        if not url:
            raise CommonServiceException(
                "ServiceUnavailable",
                f"{api} has no server: start LocalStack with SAGEMAKER_LOCAL_URL set to sagemaker-local's address.",
                status_code=503,
            )
        try:
            answer = proxy.forward(context)
        except requests.RequestException as error:
            raise CommonServiceException(
                "ServiceUnavailable",
                f"sagemaker-local does not answer at {url} ({type(error).__name__}): is it running?",
                status_code=503,
            ) from error
        return _response(answer, context.request_id)

    model = load_service(api)
    skeleton = Skeleton(model, dict.fromkeys(model.operation_names, forward))
    return Service(name=api, skeleton=skeleton)


def _response(answer, request_id: str) -> Response:
    response = Response(answer.get_data(), status=answer.status_code)
    response.headers.clear()
    for name, value in answer.headers.items():
        if name.lower() not in HOP_BY_HOP_HEADERS:
            response.headers.add(name, value)
    # Clients read the request id from this header, and Step Functions requires it.
    response.headers.setdefault("x-amzn-RequestId", request_id)
    return response
