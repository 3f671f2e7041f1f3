"""Which threads a request is for."""

import pytest

from console.thread_kinds import KINDS, kind_of_console

ITEM = "/v1/a1b2c3d4/notes/items/first"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", ITEM, "items"),
        ("HEAD", ITEM, "items"),
        ("PUT", "/v1/a1b2c3d4/notes/items", "items"),
        ("POST", "/v1/a1b2c3d4/notes/items", "items"),
        ("PATCH", ITEM, "rows"),
        ("DELETE", ITEM, "rows"),
        ("OPTIONS", ITEM, "rows"),
        ("GET", f"{ITEM}/history", "rows"),
        ("GET", f"/cli{ITEM}", "rows"),
        ("POST", "/v1/a1b2c3d4/notes/query", "queries"),
        ("POST", "/cli/v1/a1b2c3d4/notes/query", "rows"),
        ("GET", "/v1/a1b2c3d4/pictures/files", "rows"),
        ("POST", "/v1/a1b2c3d4/pictures/files", "files"),
        ("GET", "/readyz", "rows"),
        ("GET", "/collections/", "pages"),
    ],
)
def test_what_reads_or_stores_items_by_key_is_for_threads_of_its_own(method: str, path: str, kind: str) -> None:
    """These take several at once, and each of them must be short."""
    assert kind_of_console({"REQUEST_METHOD": method, "PATH_INFO": path}) == kind
    assert kind in KINDS
