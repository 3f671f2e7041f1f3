"""What the API answers in one piece with JSON, nearly all: Django's response would take as long to make as the statement.

What is a file, a stream or no JSON at all is answered by Django's responses. The two have in common what is done to every answer:
headers are set by their names, and `headers` and `status_code` are read.
"""

from http.client import responses
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from console.not_kept import PRIVATE
from storage.exact_json import dump

_STATUS_LINES = {status: f"{status} {reason}" for status, reason in responses.items()}


class Reply:
    """A text that is JSON, with its status and headers. Header values are ours, or of Latin-1 without line breaks."""

    __slots__ = ("content", "headers", "status_code")

    def __init__(self, content: bytes, *, status: int = 200) -> None:
        self.content, self.status_code = content, status
        self.headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "Cache-Control": PRIVATE,
        }

    def __setitem__(self, name: str, value: str) -> None:
        self.headers[name] = value

    @property
    def status_line(self) -> str:
        return _STATUS_LINES[self.status_code]

    def as_response(self) -> HttpResponse:
        """The same for who is inside Django."""
        return HttpResponse(self.content, status=self.status_code, headers=self.headers)


# What an operation may answer with.
Response = Reply | HttpResponseBase


def json_reply(value: Any, *, status: int = 200) -> Reply:
    """A value as compact JSON; `int` and `Decimal` keep their digits."""
    return Reply(dump(value), status=status)
