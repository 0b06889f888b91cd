"""API Gateway: requests are validated depending on their content type, gateway responses have the configured body, and
keys name their stages."""

import json
import re
from typing import Any

from jsonschema import Draft4Validator

JSON_TYPE = "application/json"
CONTEXT_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")
HEADER_PREFIX = "gatewayresponse.header."


def apply_patches() -> None:
    from localstack.services.apigateway.helpers import ModelResolver
    from localstack.services.apigateway.legacy.provider import ApigatewayProvider
    from localstack.services.apigateway.next_gen.execute_api.gateway_response import get_gateway_response_or_default
    from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import (
        GatewayExceptionHandler,
    )
    from localstack.services.apigateway.next_gen.execute_api.handlers.method_request import MethodRequestHandler
    from localstack.services.moto import call_moto
    from localstack.utils.patch import patch

    def get_api_key(self, context, api_key, include_value=None, **kwargs):
        return with_stage_names(call_moto(context))

    ApigatewayProvider.get_api_key = get_api_key

    is_body_valid = MethodRequestHandler._is_body_valid

    def _is_body_valid(method, rest_api, request) -> bool:
        # As on AWS, a body is not validated if its type has no model; LocalStack reads all bodies as JSON.
        models = method.get("requestModels") or {}
        has_model = content_type(request["headers"]) in models or "$default" in models
        if not has_model or is_body_valid(method, rest_api, request):
            return True
        schema = ModelResolver(rest_api_container=rest_api, model_name=next(iter(models.values()))).get_resolved_model()
        request["validation_error"] = validation_error(request.get("body"), schema)
        return False

    MethodRequestHandler._is_body_valid = staticmethod(_is_body_valid)

    set_context = GatewayExceptionHandler.set_error_context

    def set_error_context(exception, context) -> None:
        set_context(exception, context)
        text = (context.invocation_request or {}).get("validation_error", "")
        context.context_variables["error"]["validationErrorString"] = text

    GatewayExceptionHandler.set_error_context = staticmethod(set_error_context)

    @patch(GatewayExceptionHandler.create_exception_response)
    def create_exception_response(fn, self, exception, context):
        response = fn(self, exception, context)
        settings = get_gateway_response_or_default(exception.type, context.deployment.rest_api.gateway_responses)
        if settings.get("defaultResponse"):
            return response
        template = (settings.get("responseTemplates") or {}).get(JSON_TYPE)
        if template:
            response.set_data(fill_template(template, context.context_variables))
        for name, value in (settings.get("responseParameters") or {}).items():
            # Only constants, which are in single quotes.
            if name.startswith(HEADER_PREFIX) and value.startswith("'"):
                response.headers[name.removeprefix(HEADER_PREFIX)] = value.strip("'")
        return response


def with_stage_names(api_key: dict) -> dict:
    """A key whose stages are named ``<api>/<stage>``. LocalStack does so when a key is created, but not when it is
    read."""
    stages = api_key.get("stageKeys") or []
    return {**api_key, "stageKeys": [f"{it['restApiId']}/{it['stageName']}" for it in stages]}


def content_type(headers) -> str:
    """The media type of a request without its parameters; JSON if none is given."""
    value = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return value.split(";")[0].strip().lower() or JSON_TYPE


def validation_error(body: bytes | None, schema: dict) -> str:
    """The errors in a request's body, in brackets as on AWS (with the wording of the validator)."""
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        return f"[the body is no JSON: {error}]"
    errors = Draft4Validator(schema).iter_errors(document)
    return "[" + ", ".join(sorted({error.message for error in errors})) + "]"


def fill_template(template: str, variables: dict) -> str:
    """The body of a gateway response: ``$context`` variables are replaced by their text, ``messageString`` by JSON."""

    def value(match: re.Match) -> str:
        found: Any = variables
        for name in match.group(1).split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if match.group(1) == "error.messageString":
            return json.dumps(found)
        # AWS leaves quoting to the template, which can't do it: text inside a JSON string must not break out of it.
        return "" if found is None else json.dumps(str(found))[1:-1]

    return CONTEXT_VARIABLE.sub(value, template)
