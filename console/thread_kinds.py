"""Which requests are answered by which threads, and how many of those a web process has."""

import re
from typing import Any

from console import host_names
from console.server.listening import API_ONLY
from storage import limits

# Rows are the database's alone, and it answers in no time; more threads than this only take turns. Files wait for S3.
# Passwords take a processor for a while, and turns (`console/accounts/hashing.py`): no page waits for a stranger's.
# Those for Micros wait for people's apps, which may ask for rows meanwhile.
KINDS = {
    "items": 4,
    "queries": 4,
    "rows": 4,
    "pages": 8,
    "files": 32,
    "passwords": limits.HASHES_AT_ONCE + limits.HASHES_WAITING,
    "micros": limits.MICROS_REQUESTS_AT_ONCE,
}
# How many of `items`, which read or store items by key, a thread answers at once (`storage/postgres/gathering.py`).
TOGETHER = 8
# Of which kinds the event loop does what is short itself (`storage/postgres/loop_gathering.py`).
IN_LOOP_KINDS = ("items", "queries")
_ITEM_METHODS = ("GET", "HEAD", "PUT", "POST")
_PASSWORD_PAGES = ("/sign-in/", "/join/", "/welcome/", "/account/", "/s/")
_FILE_PAGES = ("/zip/", "/parts/", "/download/", "/bundle/")
# A part that the command sends, and the end of its upload.
_FILES_OF_COMMAND = re.compile(r"/cli/collections/[^/]+/(?:drives/[^/]+/uploads/.|bases/[^/]+/imports/[^/]+/parts)")
# What people send by hand may wait for S3, or for an app.
_BY_HAND_PAGES = ("/visor/client/", "/redo/")


def kind_of(environ: dict[str, Any]) -> str:
    """Which threads a request is for: what waits for S3 holds up neither Bases nor lists of files nor pages nor probes.

    A request that reads, and turns out to need S3, is moved to the others then (`console/wsgi.py`).
    """
    # What a Micro asks for is the API, whatever name it writes: no app reaches another one as this server.
    if API_ONLY not in environ and host_names.may_be_a_micros(environ.get("HTTP_HOST", "")):
        return "micros"
    return kind_of_console(environ)


def kind_of_console(environ: dict[str, Any]) -> str:
    """The same of a request that is for no Micro."""
    path: str = environ["PATH_INFO"]
    is_reading = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    # What a person asks of the API goes through the same gate as a page, and is the API's work.
    is_of_command = path.startswith("/cli/v1/")
    path = path.removeprefix("/cli") if is_of_command else path
    if path.startswith("/v1/"):
        parts = path.split("/", 6)
        what = parts[4] if len(parts) > 4 else ""
        # Storing a file or a part, and putting the parts of an upload together. Beginning one and deleting are rows' work.
        stores = (what == "files" and environ["REQUEST_METHOD"] == "POST") or (what == "uploads" and len(parts) > 5)
        if what == "items" and len(parts) < 7 and environ["REQUEST_METHOD"] in _ITEM_METHODS and not is_of_command:
            return "items"
        if what == "query" and environ["REQUEST_METHOD"] == "POST" and not is_of_command:
            return "queries"
        return "files" if stores else "rows"
    if path in ("/healthz", "/readyz"):
        return "rows"
    if path.startswith("/cli/"):
        # Code on its way, and what a Micro is, as that tells what its code asks for; parts of files, and their ends.
        is_code = path.endswith("/bundle") or path.rsplit("/", 2)[1] == "micros"
        return "files" if is_code or (_FILES_OF_COMMAND.match(path) and not is_reading) else "pages"
    if path.startswith(_PASSWORD_PAGES) and not is_reading:
        return "passwords"
    if path.endswith(_BY_HAND_PAGES) and not is_reading:
        return "files"
    return "files" if path.endswith(_FILE_PAGES) or ("/drive/" in path and not is_reading) else "pages"
