"""The pages of the console: their addresses, what of each is its main content, and a touch that a script has to answer."""

from dataclasses import dataclass

from bench.phone.world import BASE, DRIVE, FOLDER

_TABLE = "#content tbody tr"
_ROW = "#grid .grid-row:not(.grid-row-head)"
_AT = "/collections/{id}/"
_MICRO = "/collections/{id}/micros/{micro}/"


@dataclass(frozen=True)
class Page:
    """A page. `first` is its first row, or what stands for it; a touch of `touched` has to make `answer` be there.

    What every page answers to is the button that opens the palette. `is_for_visitors` is asked for without having signed in.
    """

    path: str
    first: str = "#content h1, #content h2"
    touched: str = ".palette-opener"
    answer: str = "#palette[open]"
    is_for_visitors: bool = False


PAGES = {
    "sign-in": Page("/sign-in/", "#id_username", "#id_username", "#id_username:focus", is_for_visitors=True),
    "shared file": Page("/s/{link}/", "#content a[download]", "#content", "#content", is_for_visitors=True),
    "collections": Page("/", ".card"),
    "new collection": Page("/collections/new/", "#content form"),
    "start": Page(f"{_AT}start/"),
    "Bases": Page(f"{_AT}base/", _TABLE),
    "Base": Page(
        f"{_AT}base/{BASE}/",
        _ROW,
        "#grid .grid-body .cell",
        "#grid [aria-selected=true]",
    ),
    "item panel": Page(f"{_AT}base/{BASE}/", _ROW, "#grid .row-open", "#item-panel[open]"),
    "query": Page(f"{_AT}base/{BASE}/?q=%7B%22group%22%3A%22group-000007%22%7D", _ROW),
    "indexes": Page(f"{_AT}base/{BASE}/indexes/"),
    "history": Page(f"{_AT}base/{BASE}/history/", _TABLE),
    "history of an item": Page(f"{_AT}base/{BASE}/history/item/?of={{item}}"),
    "Drives": Page(f"{_AT}drive/", _TABLE),
    "Drive": Page(f"{_AT}drive/{DRIVE}/", ".drive-row", ".drive-row input", ".drive-row[aria-selected=true]"),
    "folder": Page(
        f"{_AT}drive/{DRIVE}/?folder={FOLDER}", ".drive-row", ".drive-row input", ".drive-row[aria-selected=true]"
    ),
    "preview": Page(
        f"{_AT}drive/{DRIVE}/?file=0-read-me.txt",
        "#preview",
        "[data-command=close-preview]",
        "#preview-dialog:not([open])",
    ),
    "share links": Page(f"{_AT}drive/{DRIVE}/links/", _TABLE),
    "Micros": Page(f"{_AT}micros/", ".card"),
    "new Micro": Page(f"{_AT}micros/new/"),
    "Micro": Page(_MICRO),
    "Micro: deployments": Page(f"{_MICRO}deployments/", _TABLE),
    "Micro: a deployment": Page(f"{_MICRO}deployments/{{deployment}}/"),
    "Micro: environment": Page(f"{_MICRO}environment/", _TABLE),
    "Micro: domains": Page(f"{_MICRO}domains/"),
    "Micro: keys": Page(f"{_MICRO}keys/", _TABLE),
    "Micro: logs": Page(f"{_MICRO}logs/"),
    "Micro: schedule": Page(f"{_MICRO}schedule/"),
    "Micro: runs": Page(f"{_MICRO}runs/"),
    "Micro: a run": Page(f"{_MICRO}runs/{{run}}/"),
    "Micro: settings": Page(f"{_MICRO}settings/"),
    "deploy button": Page("/deploy?repo=https://github.com/you/app"),
    "Visor": Page(f"{_AT}visor/", _TABLE),
    "Visor: a request": Page(f"{_AT}visor/{{event}}/", _TABLE),
    "HTTP client": Page(f"{_AT}visor/client/", "#content form"),
    "Keys": Page(f"{_AT}keys/", _TABLE),
    "new key": Page(f"{_AT}keys/new/", "#content form"),
    "Connect": Page(f"{_AT}connect/"),
    "types": Page(f"{_AT}connect/types/?base={BASE}"),
    "exports": Page(f"{_AT}exports/"),
    "imports": Page(f"{_AT}imports/"),
    "new import": Page(f"{_AT}imports/new/"),
    "import": Page(f"{_AT}imports/{{import}}/"),
    "snapshots": Page(f"{_AT}snapshots/"),
    "settings": Page(f"{_AT}settings/"),
    "collection's audit log": Page(f"{_AT}audit/", _TABLE),
    "people": Page("/people/", _TABLE),
    "account": Page("/account/"),
    "audit log": Page("/audit/", _TABLE),
    "server": Page("/server/"),
    "backups": Page("/server/backups/"),
    "API reference": Page("/api-reference/"),
    "jump": Page("/jump/?q=a"),
}
