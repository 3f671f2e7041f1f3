"""The description of the API as the page shows it: sections of operations, and the schemas that they name."""

import functools
import json
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from console.openapi.document import document

_METHODS = ("get", "put", "post", "patch", "delete")
_SCHEMAS = "#/components/schemas/"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; `place` is where it stands, `kind` of what type it is, `start` what its field begins with."""

    name: str
    place: str
    about: SafeString
    kind: str
    required: bool
    start: str


@dataclass(frozen=True, slots=True)
class Example:
    """A value, and what it shows."""

    about: str
    value: Any

    @property
    def text(self) -> str:
        """As JSON over lines."""
        return json.dumps(self.value, indent=2, ensure_ascii=False)

    @property
    def line(self) -> str:
        """As JSON on one line."""
        return json.dumps(self.value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Content:
    """A body: its content type, the name of its schema, if it has one, and examples."""

    media_type: str
    schema: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What may come back: `fits` says that nothing went wrong."""

    status: str
    about: SafeString
    content: Content | None
    headers: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return self.status < "400"


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation. `asked` is its body, None without one; `is_open` says that it takes no key."""

    id: str
    method: str
    path: str
    summary: str
    about: SafeString
    parameters: tuple[Parameter, ...]
    asked: Content | None
    answers: tuple[Answer, ...]
    is_open: bool

    @property
    def is_json(self) -> bool:
        """Whether the body is written as text; any other is a file."""
        return self.asked is not None and self.asked.media_type == _JSON


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of a tag."""

    name: str
    about: SafeString
    operations: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole page."""

    about: SafeString
    sections: tuple[Section, ...]
    schemas: tuple[Example, ...]


@functools.cache
def read_reference() -> Reference:
    """The page of this server's description, which stays the same while it runs."""
    described = document()
    shown: dict[str, list[Shown]] = {}
    for path, item in described["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                shown.setdefault(operation["tags"][0], []).append(
                    _operation(path, method, operation, item.get("parameters", []))
                )
    return Reference(
        about=_words(described["info"]["description"]),
        sections=tuple(
            Section(tag["name"], _words(tag["description"]), tuple(shown[tag["name"]])) for tag in described["tags"]
        ),
        schemas=tuple(Example(name, schema) for name, schema in described["components"]["schemas"].items()),
    )


def _operation(path: str, method: str, operation: dict[str, Any], in_path: list[dict[str, Any]]) -> Shown:
    body = operation.get("requestBody")
    parameters = (_parameter(_resolved(each)) for each in (*in_path, *operation.get("parameters", [])))
    return Shown(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        about=_words(operation["description"]),
        parameters=tuple(parameters),
        asked=_content(body["content"]) if body else None,
        answers=tuple(_answer(status, _resolved(each)) for status, each in operation["responses"].items()),
        is_open=operation.get("security") == [],
    )


def _parameter(given: dict[str, Any]) -> Parameter:
    kinds = given["schema"]["type"]
    start = given.get("example", "") if given.get("required") else ""
    return Parameter(
        name=given["name"],
        place=given["in"],
        about=_words(given["description"]),
        kind=kinds if isinstance(kinds, str) else " or ".join(kinds),
        required=given.get("required", False),
        start=str(start),
    )


def _answer(status: str, given: dict[str, Any]) -> Answer:
    content = _content(given["content"]) if "content" in given else None
    return Answer(status, _words(given["description"]), content, tuple(given.get("headers", {})))


def _content(contents: dict[str, Any]) -> Content:
    media_type, content = next(iter(contents.items()))
    name = content["schema"].get("$ref", "")
    examples = [(each["summary"], each["value"]) for each in content.get("examples", {}).values()]
    if "example" in content:
        examples.append(("Example", content["example"]))
    return Content(
        media_type,
        name.removeprefix(_SCHEMAS),
        tuple(Example(about, value) for about, value in examples),
    )


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = document()
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    whole: dict[str, Any] = found
    return whole


def _words(text: str) -> SafeString:
    """Our own text, with its `code` and its **emphasis**."""
    return mark_safe(_MARKDOWN.render(text))  # noqa: S308 (texts of ours alone, and HTML in them is escaped)


_MARKDOWN = MarkdownIt("zero").enable(["backticks", "emphasis"])
