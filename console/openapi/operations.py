"""An operation of the API as it is written down, and as the document has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.openapi import answers
from console.openapi.answers import JSON, Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """A method of a path.

    `parameters` are names among the document's components, those of the path not among them; `errors` names of responses
    (`answers.components`) beside those that every operation may answer. `answers` are those when it works, by status. `body` is
    what `requestBody` says. `is_open` says that it takes no data key.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    answers: Mapping[int, Json]
    errors: Sequence[str] = ()
    parameters: Sequence[str] = ()
    body: Json | None = None
    writes: bool = False
    is_open: bool = False

    def as_openapi(self) -> Json:
        """The operation object. Those parameters that stand in the path belong to the path."""
        made: Json = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
        }
        if self.is_open:
            made["security"] = []
        if self.parameters:
            made["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in self.parameters]
        if self.body is not None:
            made["requestBody"] = self.body
        made["responses"] = answers.responses(
            self.answers,
            self.errors,
            writes=self.writes,
            has_body=self.body is not None,
            is_open=self.is_open,
        )
        return made


def json_body(schema: str, examples: Mapping[str, Any], *, description: str = "") -> Json:
    """A request's body in JSON, with examples by what they show."""
    shown = {f"{number}": {"summary": said, "value": value} for number, (said, value) in enumerate(examples.items(), 1)}
    made: Json = {
        "required": True,
        "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": shown}},
    }
    return ({"description": description} if description else {}) | made
