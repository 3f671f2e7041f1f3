"""Puts requests together out of targets and odd values, and says what is wrong with the answers.

Nothing is wrong with a 4xx. A 500 is, and a 503 too, as both engines are up; so is a traceback in the log, an answer in another
form than the API's, and a private page that may be kept.
"""

import itertools
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import asked, values
from tests.fuzz.sending import Answer, Request
from tests.fuzz.world import Target, World

FORM = b"application/x-www-form-urlencoded"
_JSON_TYPE = b"application/json"


class Log:
    """The server's log from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size

    def tracebacks(self) -> list[str]:
        """Those that came since this was last asked."""
        with self._path.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        self._read += len(text)
        return [
            line for line in text.decode(errors="replace").splitlines() if "Traceback" in line or "panicked" in line
        ]


def send(world: World, target: Target, request: Request, log: Log) -> None:
    """Fails with the request when its answer is wrong."""
    answer = world.line.ask(request)
    wrong = list(_faults(target, request, answer)) + log.tracebacks()
    told = (wrong, target.name, request, answer.status, answer.body[:500])
    if wrong:
        # Hypothesis tells of nothing but of what it can bring about again.
        print(told, flush=True)
    assert not wrong, told
    world.keep_fresh(target, answer)


def _faults(target: Target, request: Request, answer: Answer) -> Iterator[str]:
    if answer.status >= 500:
        yield "an error of the server's"
    if answer.status == 0 or "content-type" not in answer.headers:
        return
    kind = answer.headers["content-type"]
    may_be_kept = answer.headers.get("cache-control", "")
    # What a path that was changed at its beginning asks for may be a page.
    is_api = target.is_api and request.target.startswith((b"/v1/", b"/cli/"))
    if is_api and answer.status >= 400 and answer.status != 413 and kind != "application/json":
        yield f"an error of type {kind}"
    # A stored file may be of any type; its browser asks each time whether it has changed.
    if "etag" in answer.headers and may_be_kept == "private, no-cache" and answer.headers.get("accept-ranges"):
        return
    if kind.startswith("application/json") and may_be_kept != "private, no-store":
        yield f"JSON may be kept: {may_be_kept}"
    if kind.startswith("text/html") and not target.is_api and may_be_kept != "private, no-store":
        yield f"a page may be kept: {may_be_kept}"


def run_for(world: World, log: Log, seconds: float, chosen: int | None = None) -> int:
    """Attack for so long, with another seed each round, or for one round with the chosen one; how many requests that were.

    Fails with the smallest requests it can find.
    """
    began = world.asked
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        number = chosen if chosen is not None else random.SystemRandom().randrange(2**32)
        print(f"seed {number}, {world.asked - began:,} requests so far", flush=True)

        @seed(number)
        @settings(max_examples=200, database=None, suppress_health_check=list(HealthCheck), deadline=None)
        @given(data=st.data())
        def attack_once(data: st.DataObject) -> None:
            attack(world, data, log)

        world.renew()
        attack_once()
        if chosen is not None:
            break
    return world.asked - began


def attack(world: World, data: st.DataObject, log: Log) -> None:
    """A few requests, to pages, the API and what the command calls in turn."""
    for targets in (world.pages, world.api, world.pages, world.cli):
        target = data.draw(st.sampled_from(targets), label="target")
        # Found out before it is drawn from: pages use numbers of chance, which no strategy may.
        fields = target.fields
        send(world, target, data.draw(requests_to(world, target, fields), label="request"), log)


def plain_request(world: World, target: Target, **parts: Any) -> Request:
    """The request that is let in, with some parts exchanged: `path`, `query`, `method`, `body` with `kind`, more `headers`."""
    headers = world.headers_for(target)
    more = parts.get("headers", [])
    headers = [pair for pair in headers if pair[0].lower() not in {name.lower() for name, _ in more}] + more
    if "kind" in parts:
        headers.append(("Content-Type", parts["kind"]))
    path = parts.get("path", target.path.encode())
    query = parts.get("query", b"")
    method = parts.get("method", target.method)
    return Request(method, path + (b"?" + query if query else b""), headers, parts.get("body", b""))


def with_query(world: World, target: Target, name: str, value: bytes, **more: Any) -> Request:
    return plain_request(world, target, query=name.encode() + b"=" + value, **more)


def with_form(world: World, target: Target, name: str, value: bytes) -> Request:
    return plain_request(world, target, method="POST", kind=FORM, body=name.encode() + b"=" + value)


def with_json(world: World, target: Target, name: str, value: bytes, *, within: str = "") -> Request:
    """The body that leads the view on, with one value exchanged; `within` is a list in it, in whose object the value stands."""
    method = target.method if target.is_api else "POST"
    members = {each: json.dumps(known).encode() for each, known in target.fields.body.items()}
    members |= {within: b'[{"id":"x","%s":%s}]' % (name.encode(), value)} if within else {name: value}
    body = b",".join(b'"%s":%s' % (each.encode(), text) for each, text in members.items())
    return plain_request(world, target, method=method, kind=_JSON_TYPE, body=b"{" + body + b"}")


def with_path(world: World, target: Target, old: str, new: bytes) -> Request:
    path = target.path.encode().replace(b"/" + quote(old).encode(), b"/" + (new or b"%20").replace(b" ", b"%20"), 1)
    return plain_request(world, target, path=path.replace(b"?", b"%3F").replace(b"#", b"%23"))


def with_header(world: World, target: Target, name: str, value: bytes) -> Request:
    return plain_request(world, target, headers=[(name, value)])


def each_parameter(world: World, target: Target, most: int) -> Iterator[Request]:
    """For every parameter of a target some of the odd values; which ones, differs from one to the next."""
    turn = sum(target.name.encode())

    def some(of: list[bytes]) -> list[bytes]:
        nonlocal turn
        turn += most
        return [of[(turn + index) % len(of)] for index in range(most)]

    # The first are those that every parameter gets.
    for name in sorted(target.fields.query | target.fields.form):
        for value in [b"%00", *some(values.PLAIN)]:
            yield with_query(world, target, name, value)
        yield plain_request(world, target, query=b"&".join(name.encode() + b"=" + each for each in some(values.PLAIN)))
    for name in sorted(target.fields.form if not target.is_api else ()):
        for value in [b"%00", *some(values.PLAIN)]:
            yield with_form(world, target, name, value)
    for name in sorted(target.fields.json):
        for value in [b'"\\u0000"', b'"\\ud800"', b"[]", *some(values.JSON)]:
            yield with_json(world, target, name, value)
            for within in [each for each, known in target.fields.body.items() if isinstance(known, list)]:
                yield with_json(world, target, name, value, within=within)
    for old in target.values:
        for value in [b"%00", *some(values.PLAIN)]:
            yield with_path(world, target, old, value)


def each_header(world: World, targets: list[Target]) -> Iterator[tuple[Target, Request]]:
    """Every header with each of its odd values, at one target or another."""
    pairs = [(name, value) for name in asked.headers() for value in values.of_header(name)]
    for (name, value), target in zip(pairs, itertools.cycle(targets)):
        yield target, with_header(world, target, name, value)


def requests_to(world: World, target: Target, fields: asked.Fields) -> st.SearchStrategy[Request]:
    """Any request to a target: fields, bodies, headers and methods, one thing odd or all of it."""

    @st.composite
    def draw(draw: st.DrawFn) -> Request:
        parts: dict[str, Any] = {}
        known = sorted(fields.query | fields.form | fields.json) or ["x"]
        if draw(st.integers(0, 3)) == 0:
            parts["method"] = draw(
                st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"])
            )
        field = st.tuples(st.sampled_from(known), _value(target))
        parts["query"] = _joined(draw(st.lists(field, max_size=3))).replace(b" ", b"+").replace(b"#", b"%23")
        sent_as = draw(st.sampled_from(["nothing", "form", "json", "any"]))
        if sent_as == "form":
            parts |= {"kind": FORM, "body": _joined(draw(st.lists(field, max_size=6))), "method": "POST"}
        elif sent_as == "json":
            words = [*known, *asked.words()]
            member = st.tuples(st.sampled_from(known), values.json_text(words))
            led_on = fields.body.items() if draw(st.booleans()) else ()
            members = [b'"%s":%s' % (name.encode(), json.dumps(value).encode()) for name, value in led_on]
            members += [b'"%s":%s' % (name.encode(), value) for name, value in draw(st.lists(member, max_size=5))]
            parts |= {"kind": _JSON_TYPE, "body": b"{" + b",".join(members) + b"}"}
            parts["method"] = target.method if target.method != "GET" or target.is_api else "POST"
        elif sent_as == "any":
            parts |= {"kind": draw(st.sampled_from(values.CONTENT_TYPES)), "body": draw(st.sampled_from(values.BODIES))}
        names = draw(st.lists(st.sampled_from(asked.headers()), max_size=2))
        parts["headers"] = [(name, draw(values.header(name))) for name in names]
        if target.values and draw(st.integers(0, 3)) == 0:
            odd = with_path(world, target, draw(st.sampled_from(target.values)), draw(values.plain))
            parts["path"] = odd.target
        return plain_request(world, target, **parts)

    return draw()


def _value(target: Target) -> st.SearchStrategy[bytes]:
    known = [quote(value, safe="").encode() for value in target.values]
    words = [word.encode() for word in asked.words()]
    return st.one_of(values.plain, st.sampled_from([*known, b"a", b"a.txt", b"1", b"10"]), st.sampled_from(words))


def _joined(pairs: list[tuple[str, bytes]]) -> bytes:
    return b"&".join(name.encode() + b"=" + value for name, value in pairs)
