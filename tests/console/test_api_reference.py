"""The page that shows the API: all of its description, for anybody who is signed in."""

import html
import re

from console.openapi.document import document
from tests.console.conftest import Browser
from tests.people import Cast


def test_it_shows_each_operation_with_all_it_takes_and_answers(people: Cast, browser: Browser) -> None:
    answer = browser(people.outsider).get("/api-reference/")
    assert answer.status_code == 200
    text = html.unescape(answer.content.decode())
    articles = dict(re.findall(r'<article[^>]*?id="(\w+)"(.*?)</article>', text, re.S))
    described = {
        operation["operationId"]: (path, method, operation, item.get("parameters", []))
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert articles.keys() == described.keys()
    for name, (path, method, operation, in_path) in described.items():
        shown = articles[name]
        assert f"</span> {path}" in shown
        assert f'data-method="{method.upper()}"' in shown
        assert operation["summary"] in shown
        assert set(re.findall(r'"status [\w-]+"\s*>(\d+)<', shown)) == operation["responses"].keys()
        assert len(re.findall(r"<dt>\s*<code>", shown)) == len(in_path) + len(operation.get("parameters", []))
    for name in document()["components"]["schemas"]:
        assert f'id="schema-{name}"' in text
    links = set(re.findall(r'href="#([\w-]+)"', text))
    assert links - set(re.findall(r'id="([\w-]+)"', text)) == set()
