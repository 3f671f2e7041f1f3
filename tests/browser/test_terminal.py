"""A terminal is signed in by a person with a browser: the real command, and the page it opens."""

import re
import subprocess
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Pages
from tests.people import Cast
from tests.serving import Server
from tests.terminals import make_terminal
from tests.waiting import LONG_SECONDS


def test_person_compares_the_codes_and_allows(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    terminal = make_terminal(tmp_path, server_url=server.url)
    command = terminal.command("login", "--no-browser")
    with subprocess.Popen(
        command,
        cwd=terminal.folder,
        env=terminal.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        try:
            said = [process.stdout.readline() for _ in range(3)]
            address = next(line.strip() for line in said if line.startswith("http"))
            code = re.findall(r"[A-Z]{4}-[A-Z]{4}", "".join(said))[0]

            page = pages(cast.member, address)
            expect(page.get_by_text(code, exact=True)).to_be_visible()
            page.get_by_role("button", name="The codes are the same: allow").click()
            expect(page.get_by_role("heading", name="The terminal is signed in")).to_be_visible()

            assert process.wait(LONG_SECONDS) == 0
        finally:
            process.kill()
    assert cast.collection.id in terminal.does("projects")
    page.get_by_role("link", name="account page").click()
    page.get_by_role("link", name=re.compile("^Sign out ")).click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("None is signed in.")).to_be_visible()
    assert terminal.fails("projects").startswith("The access token was revoked")
