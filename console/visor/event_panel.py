"""One recorded request as its panel shows it: the tab that is asked for, and only what that needs."""

import re
from datetime import timedelta
from typing import Any

from console import host_names
from console.visor import replay
from console.visor.api_paths import find_touched, history_url
from console.visor.code_snippets import make_snippets
from console.visor.comparing import compare_all, describe_answer
from console.visor.line_diff import pretty
from storage.errors import EventNotFound, MicroNotFound
from storage.events import queries as event_queries
from storage.events.blocks import Body, Event
from storage.micro_logs import logs
from storage.micros import micros
from storage.models import Micro
from storage.postgres import clock

TABS = {"response": "Response", "request": "Request", "log": "Logs", "code": "Code", "difference": "Difference"}
# Lines are gathered before they are stored.
_LOG_COMES_WITHIN = timedelta(seconds=4)
_EVENT_ID = re.compile("[0-9a-f]{32}")


def is_event_id(text: str) -> bool:
    return _EVENT_ID.fullmatch(text) is not None


def panel(event: Event, *, tab: str, origin: str) -> dict[str, Any]:
    """The context of `visor/_event.html`. `origin` is the server's address as the person reaches it."""
    micro = find_micro(event)
    original = _find_original(event)
    tabs = dict(TABS)
    if original is None:
        del tabs["difference"]
    tab = tab if tab in tabs else next(iter(tabs))
    context: dict[str, Any] = {"event": event, "line": event.line, "tabs": tabs, "panel_tab": tab, "original": original}
    context["touched"] = find_touched(event)
    context["changed_url"] = history_url(event)
    context["writes"] = replay.may_write(event.line)
    context["micro"] = micro
    context["micro_origin"] = host_names.micro_origin(micro.subdomain, console=origin) if micro else ""
    context["printed"] = printed = logs.list_printed(event)
    context["log_count"] = len(printed) + len(event.content.log)
    context["awaits_log"] = clock.now() - event.line.at < _LOG_COMES_WITHIN
    if tab == "response":
        context |= {"body": event.content.response, "body_text": _text(event.content.response), "of": "answer"}
        context["headers"] = event.content.response_headers
        context["replays"] = event_queries.find_replays(collection_id=event.collection_id, event_id=event.line.id)
    elif tab == "request":
        context |= {"body": event.content.request, "body_text": _text(event.content.request), "of": "request"}
        context["headers"] = event.request_headers
    elif tab == "code":
        context["snippets"] = make_snippets(event, origin=origin, micro=micro)
    elif tab == "difference" and original is not None:
        (context["difference"],) = compare_all([(describe_answer(original), describe_answer(event))])
        context["sides"] = [
            (label, each, _text(each.content.request), _text(each.content.response))
            for label, each in (("Before", original), ("Now", event))
        ]
    return context


def find_micro(event: Event) -> Micro | None:
    """The Micro that a request went to, while there is one."""
    if not event.line.micro_id:
        return None
    try:
        return micros.find_micro(collection_id=event.collection_id, micro_id=event.line.micro_id)
    except MicroNotFound:
        return None


def _find_original(event: Event) -> Event | None:
    """The request that this one sent again, while it is kept."""
    if not event.line.replay_of:
        return None
    try:
        return event_queries.find_event(collection_id=event.collection_id, event_id=event.line.replay_of)
    except EventNotFound:
        return None


def _text(body: Body) -> str | None:
    """JSON gets a line for each value, unless it was cut."""
    return body.text if body.text is None or body.is_cut else pretty(body.text)
