"""The original's guides, word for word: deployed as the console sends them, installed for real, and asked by name."""

import json
from urllib.parse import urlencode

import pytest
import urllib3

from tests.micros_e2e import guides as files
from tests.people import Cast
from tests.running_micros import MicroClient, deploy_micro, said, told
from tests.serving import Server
from tests.waiting import eventually

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CONTACT = {"name": "Ada", "email": "ada@example.org", "message": "Hello & goodbye"}


@pytest.fixture(scope="session")
def form(server: Server, guides: Cast) -> MicroClient:
    return deploy_micro(server.url, guides.collection.id, files.FORM_FLASK, name="form-flask")


@pytest.fixture(scope="session")
def express_form(server: Server, guides: Cast) -> MicroClient:
    return deploy_micro(server.url, guides.collection.id, files.FORM_EXPRESS, name="form-express")


def test_a_form_written_with_flask_fills_a_base(form: MicroClient, server: Server, guides: Cast, data_key: str) -> None:
    _fill_in(form, server, guides, data_key, email="flask@example.org")


@pytest.mark.slow
def test_a_form_written_with_express_fills_a_base(
    express_form: MicroClient, server: Server, guides: Cast, data_key: str
) -> None:
    _fill_in(express_form, server, guides, data_key, email="express@example.org")


def _fill_in(form: MicroClient, server: Server, guides: Cast, data_key: str, *, email: str) -> None:
    assert b"<form" in form.ask().data
    sent = CONTACT | {"email": email}
    answer = form.ask("/contact", "POST", body=urlencode(sent), headers=FORM)
    assert (answer.status, answer.headers["Location"]) == (303, "/thanks")
    assert b"wrote to us" in form.ask("/thanks").data
    found = urllib3.request(
        "GET",
        f"{server.url}/v1/{guides.collection.id}/contacts/items/{email}",
        headers={"X-API-Key": data_key},
        retries=False,
    )
    assert json.loads(found.data) == sent | {"key": email}


@pytest.mark.slow
def test_hello_of_flask(server: Server, guides: Cast) -> None:
    hello = deploy_micro(server.url, guides.collection.id, files.FLASK, name="hello-flask")
    assert hello.ask().data == b"Hello World"


@pytest.mark.slow
def test_hello_of_fastapi(server: Server, guides: Cast) -> None:
    hello = deploy_micro(server.url, guides.collection.id, files.FASTAPI, name="hello-fastapi")
    assert told(hello.ask()) == {"Hello": "World"}
    assert told(hello.ask("/items/5?q=x")) == {"item_id": 5, "q": "x"}
    assert hello.ask("/items/five").status == 422
    assert b"openapi" in hello.ask("/docs").data


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("express", files.EXPRESS), ("koa", files.KOA)])
def test_hello_of_node(server: Server, guides: Cast, name: str, code: dict[str, str]) -> None:
    hello = deploy_micro(server.url, guides.collection.id, code, name=f"hello-{name}")
    assert hello.ask().data.rstrip(b"!") == b"Hello World"


@pytest.mark.slow
def test_a_webhook_is_received(server: Server, guides: Cast, data_key: str) -> None:
    hook = deploy_micro(server.url, guides.collection.id, files.WEBHOOK, name="webhook")
    event = {"type": "payment.made", "amount": 1200, "of": {"name": "Ada"}}
    headers = {"X-Signature": "sha256=abc", "Content-Type": "application/json"}
    assert told(hook.ask("/webhooks", "POST", body=json.dumps(event), headers=headers)) == "ok"
    found = urllib3.request(
        "POST",
        f"{server.url}/v1/{guides.collection.id}/webhooks/query",
        headers={"X-API-Key": data_key},
        body=b"{}",
        retries=False,
    )
    (item,) = json.loads(found.data)["items"]
    assert (item["event"], item["signature"]) == (event, "sha256=abc")
    eventually(lambda: "received payment.made" in said(hook))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("fastapi", files.IMAGES), ("express", files.IMAGES_EXPRESS)])
def test_an_image_is_uploaded_and_downloaded(
    server: Server, guides: Cast, data_key: str, name: str, code: dict[str, str]
) -> None:
    images = deploy_micro(server.url, guides.collection.id, code, name=f"images-{name}")
    assert b"<form" in images.ask().data
    uploaded = images.ask("/upload", "POST", fields={"file": (f"{name}.png", PNG, "image/png")})
    assert uploaded.data.strip(b'"').decode() == f"{name}.png"
    assert images.ask(f"/download/{name}.png").data == PNG
    found = urllib3.request(
        "GET",
        f"{server.url}/v1/{guides.collection.id}/images/files/download?name={name}.png",
        headers={"X-API-Key": data_key},
        retries=False,
    )
    assert found.data == PNG
