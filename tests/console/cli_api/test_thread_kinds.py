"""What the command asks for is answered by the threads that are for such work."""

import pytest

from console.thread_kinds import kind_of_console


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("PUT", "/cli/v1/c/base/items", "rows"),
        ("GET", "/cli/v1/c/drive/files/download", "rows"),
        ("POST", "/cli/v1/c/drive/files", "files"),
        ("POST", "/cli/v1/c/drive/uploads", "rows"),
        ("POST", "/cli/v1/c/drive/uploads/x/parts", "files"),
        ("POST", "/cli/collections/c/drives/d/uploads", "pages"),
        ("PUT", "/cli/collections/c/drives/d/uploads/x/parts/1", "files"),
        ("POST", "/cli/collections/c/drives/d/uploads/x/end", "files"),
        ("GET", "/cli/collections/c/drives/d/files", "pages"),
        ("POST", "/cli/collections/c/bases/b/imports", "pages"),
        ("PUT", "/cli/collections/c/bases/b/imports/i/parts", "files"),
        ("POST", "/cli/collections/c/bases/b/imports/i/run", "pages"),
        ("POST", "/cli/collections/c/bases/b/query", "pages"),
    ],
)
def test_what_waits_for_s3_holds_up_nothing_else(method: str, path: str, kind: str) -> None:
    assert kind_of_console({"REQUEST_METHOD": method, "PATH_INFO": path}) == kind
