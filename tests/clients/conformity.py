"""Checks every answer against AWS's published service model, which botocore's own parser does not do.

The parser ignores unknown members, and required ones that are missing; other SDKs, made from the same model, fail on
them.
"""

import json

NUMBERS = ("NaN", "Infinity", "-Infinity")
# Required members that AWS itself leaves out: those of a job that has no model (yet).
LEFT_OUT = {("DescribeTrainingJobResponse", "ModelArtifacts")}


def check_answers(client) -> None:
    """Makes calls of this client raise when the answer does not have the form that the model describes."""

    def check(operation_model, response_dict, **_):
        if response_dict["status_code"] != 200 or operation_model.output_shape is None:
            return
        if operation_model.has_streaming_output:
            return
        problems = list(mistakes(operation_model.output_shape, json.loads(response_dict["body"]), "answer"))
        assert not problems, f"{operation_model.name}: {'; '.join(problems)}"

    client.meta.events.register("before-parse.*.*", check)


def mistakes(shape, value, path: str):
    """What is wrong with a JSON value that should have this shape, each mistake with its path."""
    kind = shape.type_name
    python_type = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "timestamp": (int, float),
    }[kind]
    is_word = kind in ("float", "double") and value in NUMBERS
    if not is_word and (not isinstance(value, python_type) or (kind != "boolean" and isinstance(value, bool))):
        yield f"{path} is {value!r}, not a {kind}"
        return
    if kind == "structure":
        for name in shape.required_members:
            if name not in value and (shape.name, name) not in LEFT_OUT:
                yield f"{path}.{name} is required"
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}.{name} is no member"
            else:
                yield from mistakes(shape.members[name], member, f"{path}.{name}")
    elif kind == "list":
        for index, element in enumerate(value):
            yield from mistakes(shape.member, element, f"{path}[{index}]")
    elif kind == "map":
        for key, element in value.items():
            yield from mistakes(shape.value, element, f"{path}[{key}]")
    elif kind == "string" and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, not one of {shape.enum}"
