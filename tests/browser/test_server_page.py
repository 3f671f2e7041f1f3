"""The page about the server keeps itself up to date, and who reads it where they are."""

from tests.browser.conftest import Pages
from tests.people import Cast
from tests.serving import Server


def test_the_page_is_renewed_under_the_reader(server: Server, cast: Cast, pages: Pages) -> None:
    page = pages(cast.server_owner, "/server/")
    page.get_by_role("heading", name="Background jobs").wait_for()
    frame = page.locator("#jobs-frame")
    frame.focus()
    frame.evaluate("element => { element.isOld = true }")
    page.mouse.wheel(0, 400)
    scrolled = page.evaluate("scrollY")
    with page.expect_response(lambda answer: answer.url.endswith("/server/")) as renewed:
        pass
    assert renewed.value.ok
    page.wait_for_function("() => !document.getElementById('jobs-frame').isOld")
    assert page.evaluate("document.activeElement.id") == "jobs-frame"
    assert page.evaluate("scrollY") == scrolled
    assert page.get_by_role("link", name="Server").get_attribute("aria-current") == "page"
