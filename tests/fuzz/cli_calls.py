"""What the `deta` command calls, below `/cli/`: every route with its methods, and the fields of its query and its JSON body."""

from typing import NamedTuple

from tests.fuzz.api_calls import API_CALLS

_COLLECTION = "collections/{collection_id}"
_MICRO = f"{_COLLECTION}/micros/{{micro_id}}"
_BASE = f"{_COLLECTION}/bases/{{base}}"
_DRIVE = f"{_COLLECTION}/drives/{{drive}}"


class Call(NamedTuple):
    """`path` has names in braces for what there is of each kind."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    json: tuple[str, ...] = ()


CLI_CALLS = (
    Call("GET", ""),
    Call("POST", "sign-ins", json=("challenge", "device")),
    Call("POST", "sign-ins/{sign_in_id}/token", json=("verifier",)),
    Call("DELETE", "token"),
    Call("GET", "collections"),
    Call("POST", "collections", json=("name",)),
    Call("GET", f"{_COLLECTION}/page", ("base", "drive", "micro", "visor")),
    Call("GET", f"{_COLLECTION}/micros"),
    Call("POST", f"{_COLLECTION}/micros", json=("name", "runtime", "visor")),
    Call("GET", _MICRO),
    Call("PATCH", _MICRO, json=("name", "runtime", "visor", "http_auth")),
    Call("PUT", f"{_MICRO}/variables", json=("lines",)),
    Call("GET", f"{_MICRO}/bundle"),
    Call("PUT", f"{_MICRO}/bundle"),
    Call("GET", f"{_MICRO}/deployments"),
    Call("GET", f"{_MICRO}/deployments/{{deployment_id}}", ("after",)),
    Call("GET", f"{_MICRO}/logs", ("after",)),
    Call("GET", f"{_MICRO}/keys"),
    Call("POST", f"{_MICRO}/keys", json=("name", "description")),
    Call("DELETE", f"{_MICRO}/keys", ("name",)),
    Call("GET", f"{_MICRO}/schedule"),
    Call("PUT", f"{_MICRO}/schedule", json=("expression", "limit_seconds")),
    Call("DELETE", f"{_MICRO}/schedule"),
    Call("GET", f"{_MICRO}/runs"),
    Call("POST", f"{_MICRO}/runs", json=("kind", "action", "input", "words", "limit_seconds")),
    Call("GET", f"{_MICRO}/runs/{{run_id}}", ("after",)),
    Call("POST", f"{_MICRO}/runs/{{run_id}}/cancel"),
    Call("GET", f"{_COLLECTION}/dev-keys"),
    Call("POST", f"{_COLLECTION}/dev-keys", json=("device",)),
    Call("DELETE", f"{_COLLECTION}/dev-keys/{{key_id}}"),
    Call("GET", f"{_COLLECTION}/bases"),
    Call("POST", f"{_BASE}/query", json=("q", "limit", "last", "sort")),
    Call("POST", f"{_BASE}/exports", json=("q", "format")),
    Call("POST", f"{_BASE}/saves", json=("save", "changes")),
    Call("POST", f"{_BASE}/imports", json=("file_name", "size", "key", "types")),
    Call("PUT", f"{_BASE}/imports/{{import_id}}/parts", ("start",)),
    Call("GET", f"{_BASE}/imports/{{import_id}}"),
    Call("POST", f"{_BASE}/imports/{{import_id}}/run", json=("way",)),
    Call("DELETE", f"{_BASE}/imports/{{import_id}}"),
    Call("GET", f"{_COLLECTION}/drives"),
    Call("POST", f"{_COLLECTION}/drives", json=("name",)),
    Call("GET", f"{_DRIVE}/files", ("prefix", "last")),
    Call("POST", f"{_DRIVE}/uploads", json=("name", "size", "fingerprint", "content_type")),
    Call("PUT", f"{_DRIVE}/uploads/{{upload_id}}/parts/{{number}}"),
    Call("POST", f"{_DRIVE}/uploads/{{upload_id}}/end"),
    Call("GET", f"{_COLLECTION}/keys"),
    Call(
        *("POST", f"{_COLLECTION}/keys"),
        json=("name", "read_only", "bases", "drives", "days", "requests_per_second", "bytes_per_day"),
    ),
    Call("POST", f"{_COLLECTION}/keys/{{key_id}}/revoke"),
    Call(
        *("GET", f"{_COLLECTION}/events"),
        ("after", "before", "limit", "status", "method", "path", "text", "slower", "key", "micro"),
    ),
    *(Call(method, f"v1/{{collection_id}}/{path}", query, json) for method, path, query, json in API_CALLS),
)
