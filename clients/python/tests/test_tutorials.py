"""The tutorials of the original documentation, whole: records and a form with Flask, users and images with FastAPI."""

from typing import Any, Optional

import httpx
from fastapi import FastAPI, File, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from flask import Flask, jsonify, request
from pydantic import BaseModel
from tests.awaiting import run
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


def make_form_app() -> Flask:
    app = Flask(__name__)
    messages = Deta().Base("contact-form")

    @app.route("/", methods=["POST"])
    def keep() -> Any:
        messages.put({name: request.form[name] for name in ("name", "email", "message")})
        return "ok", 201

    return app


def test_a_form_with_flask(environment: object) -> None:
    browser = make_form_app().test_client()
    sent = {"name": "Ada", "email": "ada@example.com", "message": "Hello"}
    assert (browser.post("/", data=sent).status_code, browser.post("/", data={}).status_code) == (201, 400)
    [kept] = Deta().Base("contact-form").fetch(sent).items
    assert kept == {**sent, "key": kept["key"]}


class User(BaseModel):
    name: str
    age: int
    hometown: str


class Changes(BaseModel):
    name: Optional[str] = None
    age: Optional[int] = None
    hometown: Optional[str] = None


def make_users_app() -> FastAPI:
    app = FastAPI()
    deta = Deta()
    users = deta.Base("fastapi-crud-users")

    @app.post("/users", status_code=201)
    def create(user: User) -> Any:
        return users.put(user.model_dump())

    @app.get("/users")
    def list_all() -> Any:
        return next(users.fetch())

    @app.get("/users/{uid}")
    def get(uid: str) -> Any:
        user = users.get(uid)
        return user if user else JSONResponse({"message": "user not found"}, status_code=404)

    @app.patch("/users/{uid}")
    def change(uid: str, changes: Changes) -> Any:
        updates = {name: value for name, value in changes.model_dump().items() if value is not None}
        try:
            users.update(updates, uid)
            return users.get(uid)
        except Exception:
            return JSONResponse({"message": "user not found"}, status_code=404)

    @app.delete("/users/{uid}")
    def delete(uid: str) -> None:
        users.delete(uid)

    return app


def test_users_with_fastapi(environment: object) -> None:
    beverly = {"name": "Beverly", "age": 44, "hometown": "Copernicus City"}

    async def visit() -> None:
        transport = httpx.ASGITransport(make_users_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://users") as browser:
            assert (await browser.get("/users")).json() == []
            made = await browser.post("/users", json=beverly)
            user = made.json()
            assert (made.status_code, user) == (201, {**beverly, "key": user["key"]})
            assert (await browser.post("/users", json={"name": "Wesley"})).status_code == 422
            assert (await browser.get("/users")).json() == [user]
            assert (await browser.get(f"/users/{user['key']}")).json() == user
            older = await browser.patch(f"/users/{user['key']}", json={"age": 45})
            assert older.json() == {**user, "age": 45}
            missing = await browser.patch("/users/nobody", json={"age": 45})
            assert (missing.status_code, missing.json()) == (404, {"message": "user not found"})
            assert (await browser.delete(f"/users/{user['key']}")).json() is None
            assert (await browser.get(f"/users/{user['key']}")).status_code == 404

    run(visit())


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
