"""What answers a request: the public API bypasses most of Django, the pages use all of it."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

from django.conf import settings
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.urls import set_script_prefix

application = get_wsgi_application()

from console import host_names, url_prefix  # noqa: E402
from console.front import application as front  # noqa: E402 (Django is set up by now)
from console.front import recorded, refusals  # noqa: E402
from console.live.responses import LiveResponse  # noqa: E402
from console.parameters import PlainRequest  # noqa: E402
from console.recording.application import api  # noqa: E402
from console.server.answers import Answer, refusal  # noqa: E402
from console.server.bodies import BodyAwaited  # noqa: E402
from console.server.listening import API_ONLY  # noqa: E402
from console.server.threads import IN_LOOP, KEPT, KIND, AnsweredBy  # noqa: E402
from console.thread_kinds import kind_of_console  # noqa: E402
from storage import engine_waits  # noqa: E402
from storage.errors import EngineUnreachable  # noqa: E402
from storage.postgres.deadlines import ANSWER_SECONDS  # noqa: E402
from storage.s3.transfer_slots import NotHere, let_this_thread_move  # noqa: E402

application.request_class = PlainRequest

_WAITS = "engine waits"


def answer(environ: dict[str, Any]) -> Answer:
    """What a Micro's host is asked for goes to the Micro; else everything under `/v1` is the API.

    However often a request is asked, it waits for the engines no longer than for one answer (`storage/engine_waits.py`). Raises
    BodyAwaited, and AnsweredBy for what other threads are for.
    """
    kept = environ[KEPT]
    if _WAITS not in kept:
        kept[_WAITS] = engine_waits.Budget(ANSWER_SECONDS)
    budget: engine_waits.Budget = kept[_WAITS]
    budget.begin(in_loop=IN_LOOP in environ)
    engine_waits.begin(budget)
    try:
        return _micro(environ) if environ[KIND] == "micros" else _console(environ)
    except engine_waits.MustWait:
        raise AnsweredBy(environ[KIND]) from None
    finally:
        engine_waits.end()


def _console(environ: dict[str, Any]) -> Answer:
    """Raises AnsweredBy for what turns out to need S3 while it reads.

    What writes is known by its path (`console/thread_kinds.py`): it could not begin again.
    """
    url_prefix.take_away(environ)
    path = environ["PATH_INFO"]
    is_api = path.startswith("/v1/") or path == "/v1"
    if API_ONLY in environ and not is_api:
        return refusal("404 Not Found", "Not found", is_api=True)
    let_this_thread_move(environ[KIND] == "files" or environ["REQUEST_METHOD"] not in ("GET", "HEAD"))
    try:
        return api(environ) if is_api else _page(environ)
    except NotHere:
        raise AnsweredBy("files") from None
    finally:
        let_this_thread_move(True)


def _micro(environ: dict[str, Any]) -> Answer:
    """A name that is not the console's may be nobody's: then it is asked for by other threads, and answered as ever."""
    _begin_addresses()
    try:
        micro = front.find_micro(environ)
    except EngineUnreachable as error:
        return refusals.answer(refusals.busy(error.messages[0]), environ)
    if micro is None and host_names.is_below_domain(environ["HTTP_HOST"]):
        return refusals.answer(refusals.NO_APP, environ)
    if micro is None:
        url_prefix.take_away(environ)
        raise AnsweredBy(kind_of_console(environ))
    return recorded.answer(environ, micro)


def _begin_addresses() -> None:
    """Who writes an address of a page need not be Django, nor in a thread that it has seen. The API writes none."""
    set_script_prefix(f"{settings.URL_PREFIX}/")


def _page(environ: dict[str, Any]) -> Answer:
    _begin_addresses()
    try:
        response = application(environ, lambda *_: None)  # type: ignore[arg-type]  # nothing is started yet
    except (BodyAwaited, NotHere):
        # What Django would do behind an answer: give the database connection back.
        signals.request_finished.send(sender=type(application))
        raise
    headers = [*response.items(), *(("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values())]
    status = f"{response.status_code} {response.reason_phrase}"
    if isinstance(response, LiveResponse):
        response.close()
        return status, headers, response.live
    if response.streaming:
        # Other threads read it, and this one's connection must not wait for them.
        connections.close_all()
        return status, headers, response
    body = [response.content]  # type: ignore[attr-defined]
    response.close()
    return status, headers, body
