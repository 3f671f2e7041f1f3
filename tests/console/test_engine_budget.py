"""What a request may wait for the engines, however often it is asked: again with its body, or by other threads."""

import io
from typing import Any

from console.server.threads import KEPT, KIND
from storage.engine_waits import Budget


def test_a_request_that_is_asked_again_has_what_it_has_left(database: None) -> None:
    from console import wsgi  # which looks for the static files at once: the server has made them by now

    kept: dict[str, Any] = {}
    asked = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": f"sessionid={'a' * 32}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        KEPT: kept,
        KIND: "pages",
    }
    assert wsgi.answer(dict(asked))[0] == "302 Found"
    (budget,) = (each for each in kept.values() if isinstance(each, Budget))
    budget.left = 0.0
    assert wsgi.answer(dict(asked))[0].startswith("503")
