"""No secret stands where it should not (promise P7): canaries are made, then looked for in everything that is kept."""

import re

import httpx
from django.db import connection

from tests.factories import item_path, make_client
from tests.people import PASSWORD, make_cast, make_person, make_session
from tests.serving import Server

PAGES = (
    "/",
    "/people/",
    "/account/",
    "/jump/?q=canary",
    "/collections/{}/keys/",
    "/collections/{}/connect/?client=curl",
    "/collections/{}/settings/",
    "/collections/{}/base/",
)


def test_secrets_are_kept_nowhere(server: Server, database: None) -> None:
    cast = make_cast()
    with httpx.Client(base_url=server.url, cookies={"sessionid": make_session(cast.server_owner)}) as browser:
        path = f"/collections/{cast.collection.id}/keys/new/"
        browser.get(path)
        form = {
            "name": "canary",
            "rights": "write",
            "scope": "all",
            "days": "0",
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        key = re.search(rf"{cast.collection.id}_(\w{{32}})", browser.post(path, data=form).text)
        invited = browser.post("/people/invite/", data={**form, "note": "canary"}).text
        link = re.search(r"/join/([^/<]+)/", invited).group(1)
        client = make_client(server, collection_id=cast.collection.id)
        for text in (key.group(), client.key_text, client.key_text[:-1] + "x"):
            client.send("GET", item_path("a"), headers={"X-API-Key": text})
            client.send("PUT", "/items", {"items": [{"key": "a", "bad": [[]]}]}, headers={"X-API-Key": text})
        wrong = "a-canary-of-a-password"
        anybody = httpx.Client(base_url=server.url)
        anybody.get("/sign-in/")
        for name in (make_person().username, wrong):
            tried = {"username": name, "password": wrong, "csrfmiddlewaretoken": anybody.cookies["csrftoken"]}
            assert anybody.post("/sign-in/", data=tried).status_code == 422
        anybody.close()
        secrets = {key.group(1), client.key_text.split("_")[1], link, wrong, PASSWORD, browser.cookies["sessionid"]}
        pages = "\n".join(browser.get(page.format(cast.collection.id)).text for page in PAGES)
    everything = {"pages": pages, "log": server.log, "database": dump()}
    # The session's row is named by the cookie: Django's own way, readable by who reads the database alone.
    allowed = {("database", browser.cookies["sessionid"])}
    found = {(where, secret) for where, text in everything.items() for secret in secrets if secret in text}
    assert found <= allowed


def dump() -> str:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows: list[str] = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)
