"""Unknown paths, wrong methods, and calls from a page of another origin (contract: Everywhere)."""

from typing import Any

import pytest

from tests.factories import BaseClient, exact_json, shared_http

NO_PATHS = [
    "/v1",
    "/v1/",
    "/v1/{id}",
    "/v1/{id}/",
    "/v1/{id}/things",
    "/v1/{id}/things/",
    "/v1/{id}/things/item",
    "/v1/{id}/things/Items",
    "/v1/{id}/things/items/",
    "/v1/{id}/things/query/",
    "/v1/{id}/things/query/x",
    "/v1/{id}/things/more/items",
    "/v1/{id}/things/%0Aitems",
    "/v1//things/items/a/../../x",
    "/v1/things",
    "/v1/%FF",
    "/v1/{id}/%00/x",
]


@pytest.mark.parametrize("path", NO_PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_unknown_path_is_404_in_json(client: BaseClient, method: str, path: str) -> None:
    url = client.server.url + path.format(id=client.collection_id)

    response = shared_http().request(method, url, headers={"X-API-Key": client.key_text})

    assert response.status_code == 404
    assert list(exact_json(response)) == ["errors"]


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "COPY", "FOO"}
ALLOWED = {
    "/items": {"PUT", "POST"},
    "/items/a": {"GET", "HEAD", "PATCH", "DELETE"},
    "/query": {"POST"},
    "/changes": {"GET", "HEAD"},
}
WRONG = [(path, method) for path, allowed in ALLOWED.items() for method in sorted(METHODS - allowed)]


@pytest.mark.parametrize("path, method", WRONG)
def test_a_wrong_method_is_405_with_allow(client: BaseClient, path: str, method: str) -> None:
    client.put({"key": "a"})

    response = client.send(method, path)

    assert response.status_code == 405
    allowed = {each.strip() for each in response.headers["Allow"].split(",")}
    assert allowed - {"OPTIONS"} == ALLOWED[path]
    assert method == "HEAD" or list(exact_json(response)) == ["errors"]
    assert client.all_keys() == ["a"]


SENT = {"x-api-key", "content-type", "authorization", "if-match", "if-none-match", "last-event-id"}


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:3000", "null"])
@pytest.mark.parametrize("path, method", [(p, m) for p, allowed in ALLOWED.items() for m in sorted(allowed - {"HEAD"})])
def test_a_preflight_allows_the_methods_and_headers_of_the_browser_client(
    client: BaseClient, path: str, method: str, origin: str
) -> None:
    response = shared_http().request(
        "OPTIONS",
        client.server.url + client.path + path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ",".join(sorted(SENT)),
        },
    )

    assert response.status_code in (200, 204)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert method in [each.strip() for each in response.headers["Access-Control-Allow-Methods"].split(",")]
    allowed = {each.strip().lower() for each in response.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed == SENT
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Set-Cookie" not in response.headers


CALLS: list[tuple[str, str, Any, int]] = [
    ("GET", "/items/a", None, 200),
    ("GET", "/items/none", None, 404),
    ("PUT", "/items", {"items": [{"key": "b"}]}, 207),
    ("PUT", "/items", {}, 400),
    ("POST", "/items", {"item": {"key": "a"}}, 409),
    ("POST", "/query", {}, 200),
    ("PATCH", "/items/a", {"set": {"n": 1}}, 200),
    ("DELETE", "/items/none", None, 200),
    ("DELETE", "/items", None, 405),
    ("GET", "/nowhere", None, 404),
]


@pytest.mark.parametrize("method, path, body, status", CALLS)
def test_a_page_of_any_origin_may_read_every_answer(
    client: BaseClient, method: str, path: str, body: Any, status: int
) -> None:
    client.put({"key": "a"})

    response = client.send(method, path, *([] if body is None else [body]), headers={"Origin": "https://app.example"})

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Expose-Headers"] == "ETag, Retry-After, Item-Revisions, X-Request-ID"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Set-Cookie" not in response.headers


def test_a_page_may_read_that_its_key_is_refused(client: BaseClient) -> None:
    response = shared_http("127.0.0.8").get(
        f"{client.server.url}{client.path}/items/a", headers={"Origin": "https://app.example"}
    )

    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == "*"
