"""The pages for what went wrong in the server: made without the database, and all the same in the theme of the browser."""

import pytest
from django.test import RequestFactory

from console.error_status import HashingBusy
from console.error_views import server_error
from storage import request_ids
from storage.errors import DiskFull, EngineUnreachable


@pytest.mark.parametrize("cookies, told", [({"theme": "dark"}, "dark"), ({"theme": "blue"}, ""), ({}, "")])
@pytest.mark.parametrize(
    "error, status, heading",
    [
        (ValueError("by a test"), 500, "Something went wrong"),
        (EngineUnreachable(), 503, "The database does not answer"),
        (HashingBusy(), 503, "Try again in a moment"),
        (DiskFull(), 507, "The server's disk is full"),
    ],
    ids=["fault", "engine", "busy", "full"],
)
def test_what_went_wrong_is_told_in_the_theme_of_the_browser(
    error: Exception, status: int, heading: str, cookies: dict[str, str], told: str
) -> None:
    """Without a cookie that is known, the page says that it is made for both, and the system's theme decides."""
    request = RequestFactory().get("/")
    request.COOKIES = cookies
    token = request_ids.request_id.set("quoted-1")
    try:
        raise error
    except Exception:
        answer = server_error(request)
    finally:
        request_ids.request_id.reset(token)
    page = answer.content.decode()
    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in page
    assert "Request <code>quoted-1</code>" in page
    assert (f'data-theme="{told}"' in page) if told else ("data-theme" not in page)
    assert f'<meta name="color-scheme" content="{told or "light dark"}">' in page
