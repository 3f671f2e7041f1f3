"""Whether what the API answers is what its description says, for any test that asks it."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from console.openapi.document import document

JSON = "application/json"
_METHODS = ("get", "put", "post", "patch", "delete")
_UNKNOWN = {"404": {"$ref": "#/components/responses/UnknownPath"}}
_OTHER_METHOD = {"405": {"$ref": "#/components/responses/MethodNotAllowed"}}


def check_answer(
    method: str,
    path: str,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    sent: bytes = b"",
) -> None:
    """Raises AssertionError unless the answer to a request for this path, below `/v1`, is described.

    What was `sent` as JSON and accepted has to be as described too.
    """
    where = f"{method} {path} answered {status}"
    operation = find_operation(method, path)
    responses = _UNKNOWN if operation is None else operation["responses"] if operation else _OTHER_METHOD
    assert str(status) in responses, f"{where}, which is not described: {body[:300]!r}"
    described = resolve(responses[str(status)])
    lowered = {name.lower() for name in headers}
    for name, header in described.get("headers", {}).items():
        assert name.lower() in lowered or not resolve(header).get("required"), f"{where} without {name}"
    if method == "HEAD":
        return
    contents = described.get("content", {})
    content_type = headers.get("Content-Type", "").partition(";")[0]
    if not contents:
        assert body == b"", f"{where} with a body"
        return
    content = contents.get(content_type) or contents.get("*/*")
    assert content is not None, f"{where} with {content_type}"
    if content_type == JSON and "*/*" not in contents:
        check_value(content["schema"], json.loads(body), where)
    if operation and 200 <= status < 300 and sent:
        asked = operation.get("requestBody", {}).get("content", {})
        if JSON in asked:
            check_value(asked[JSON]["schema"], json.loads(sent), f"{where}, and what it was asked")


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation that answers; None where there is no such path, and nothing in it where the path has another method."""
    for pattern, operations in _operations():
        if pattern.fullmatch(path):
            return operations.get("get" if method == "HEAD" else method.lower(), {})
    return None


def check_value(schema: dict[str, Any], value: Any, where: str) -> None:
    """Raises AssertionError unless the value is as a schema of the document says."""
    error = next(iter(_validator(json.dumps(schema)).iter_errors(value)), None)
    assert error is None, f"{where} is not as described: {error}"


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """What a part of the document refers to, or the part itself."""
    if "$ref" not in part:
        return part
    found: Any = document()
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    assert isinstance(found, dict)
    return found


@functools.cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """The paths that say the most come first: `{key}` stands for anything."""
    found = []
    for path, item in sorted(document()["paths"].items(), key=lambda entry: "{key}" in entry[0]):
        parts = [
            r"[\s\S]+" if part == "{key}" else "[^/]+" if part[:1] == "{" else re.escape(part)
            for part in path.split("/")
        ]
        found.append((re.compile("/".join(parts)), {method: item[method] for method in _METHODS if method in item}))
    return found


@functools.cache
def _validator(schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": document()["components"]})
