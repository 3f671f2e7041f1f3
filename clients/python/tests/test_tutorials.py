"""The two tutorials of the original documentation, as real apps: records with Flask, and an image server with FastAPI."""

from typing import Any

import httpx
from clients.python.tests.awaiting import run
from fastapi import FastAPI, File, UploadFile
from fastapi.responses import HTMLResponse, StreamingResponse
from flask import Flask, jsonify, request
from tests.drives import noise

from deta import Deta

FORM = """
<form action="/upload" enctype="multipart/form-data" method="post">
    <input name="file" type="file">
    <input type="submit">
</form>
"""


def make_records_app() -> Flask:
    deta = Deta()
    db = deta.Base("simpleDB")
    app = Flask(__name__)

    @app.route("/users", methods=["POST"])
    def create_user() -> Any:
        name = request.json.get("name")
        age = request.json.get("age")
        hometown = request.json.get("hometown")
        user = db.put({"name": name, "age": age, "hometown": hometown})
        return jsonify(user), 201

    @app.route("/users/<key>")
    def get_user(key: str) -> Any:
        user = db.get(key)
        return user if user else (jsonify({"error": "Not found"}), 404)

    @app.route("/found/<key>")
    def find_user(key: str) -> Any:
        return jsonify(db.fetch({"key": key}).items)

    @app.route("/users/<key>", methods=["PUT"])
    def update_user(key: str) -> Any:
        return db.put(request.json, key)

    @app.route("/users/<key>", methods=["DELETE"])
    def delete_user(key: str) -> Any:
        db.delete(key)
        return jsonify({"status": "ok"})

    return app


def test_records_with_flask(environment: object) -> None:
    browser = make_records_app().test_client()
    beverly = {"name": "Beverly", "age": 44, "hometown": "Copernicus City"}
    wesley = {"name": "Wesley", "age": 24, "hometown": "San Francisco"}

    answer = browser.post("/users", json=beverly)
    key = answer.json["key"]
    assert (answer.status_code, len(key)) == (201, 12)
    assert browser.get(f"/users/{key}").json == {**beverly, "key": key}
    assert browser.get(f"/found/{key}").json == [{**beverly, "key": key}]
    assert browser.put(f"/users/{key}", json=wesley).json == {**wesley, "key": key}
    assert browser.get(f"/users/{key}").json == {**wesley, "key": key}
    assert browser.delete(f"/users/{key}").status_code == 200
    assert browser.get(f"/users/{key}").status_code == 404


def make_image_server() -> FastAPI:
    app = FastAPI()
    deta = Deta()
    drive = deta.Drive("images")

    @app.get("/", response_class=HTMLResponse)
    def render() -> str:
        return FORM

    @app.post("/upload")
    def upload_img(file: UploadFile = File(...)) -> Any:  # noqa: B008 (as FastAPI wants it)
        name = file.filename
        f = file.file
        return drive.put(name, f)

    @app.get("/download/{name}")
    def download_img(name: str) -> Any:
        res = drive.get(name)
        return StreamingResponse(res.iter_chunks(1024), media_type="image/png")

    return app


def test_image_server_with_fastapi(environment: object) -> None:
    small, large = b"\x89PNG\r\n\x1a\n" + noise(5000), noise(11 * 1024 * 1024)

    async def visit() -> None:
        transport = httpx.ASGITransport(make_image_server())
        async with httpx.AsyncClient(transport=transport, base_url="http://images") as browser:
            assert 'action="/upload"' in (await browser.get("/")).text
            for name, image in (("space.png", small), ("large.png", large)):
                uploaded = await browser.post("/upload", files={"file": (name, image, "image/png")})
                assert (uploaded.status_code, uploaded.json()) == (200, name)
                shown = await browser.get(f"/download/{name}")
                assert shown.headers["Content-Type"] == "image/png"
                assert shown.content == image

    run(visit())
