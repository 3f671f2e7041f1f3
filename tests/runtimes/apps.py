"""The same small app for each framework, as people write it: what `main.py` or `index.js` holds.

`/` says hello and prints `asked`; `/echo` gives the body back; `/stream` sends `first`, and `second` only after `/go` was asked;
`/fail` fails; `/method` tells the method; `/who` who asks and with which headers. `greet` can be run, and something by cron.
"""

from dataclasses import dataclass

FASTAPI = """
import asyncio
from deta import App
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

app = App(FastAPI())
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
go = asyncio.Event()

@app.get("/")
def hello():
    print("asked")
    return {"hello": "fastapi"}

@app.post("/echo")
async def echo(request: Request):
    return Response(await request.body())

@app.get("/stream")
async def stream():
    async def parts():
        yield b"first"
        await go.wait()
        yield b"second"
    return StreamingResponse(parts())

@app.get("/go")
async def release():
    go.set()

@app.get("/fail")
def fail():
    raise RuntimeError("broken on purpose")

@app.api_route("/method", methods=METHODS)
def method(request: Request):
    return PlainTextResponse(request.method)

@app.get("/who")
def who(request: Request):
    return {"address": request.client.host, "url": str(request.url), "headers": dict(request.headers)}
"""

STARLETTE = """
import asyncio
from deta import App
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
go = asyncio.Event()

async def hello(request):
    print("asked")
    return JSONResponse({"hello": "starlette"})

async def echo(request):
    return Response(await request.body())

async def stream(request):
    async def parts():
        yield b"first"
        await go.wait()
        yield b"second"
    return StreamingResponse(parts())

async def release(request):
    go.set()
    return Response()

def fail(request):
    raise RuntimeError("broken on purpose")

def method(request):
    return PlainTextResponse(request.method)

def who(request):
    return JSONResponse({"address": request.client.host, "url": str(request.url), "headers": dict(request.headers)})

app = App(Starlette(routes=[
    Route("/", hello), Route("/echo", echo, methods=["POST"]), Route("/stream", stream), Route("/go", release),
    Route("/fail", fail), Route("/method", method, methods=METHODS), Route("/who", who),
]))
"""

FLASK = """
import threading
from deta import App
from flask import Flask, request

app = App(Flask(__name__))
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
go = threading.Event()

@app.get("/")
def hello():
    print("asked")
    return {"hello": "flask"}

@app.post("/echo")
def echo():
    return request.get_data()

@app.get("/stream")
def stream():
    def parts():
        yield b"first"
        go.wait()
        yield b"second"
    return parts()

@app.get("/go")
def release():
    go.set()
    return ""

@app.get("/fail")
def fail():
    raise RuntimeError("broken on purpose")

@app.route("/method", methods=METHODS)
def method():
    return request.method

@app.get("/who")
def who():
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {"address": request.remote_addr, "url": request.url, "headers": headers}
"""

BOTTLE = """
import threading
from bottle import Bottle, request
from deta import App

app = App(Bottle())
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
go = threading.Event()

@app.get("/")
def hello():
    print("asked")
    return {"hello": "bottle"}

@app.post("/echo")
def echo():
    return request.body.read()

@app.get("/stream")
def stream():
    yield b"first"
    go.wait()
    yield b"second"

@app.get("/go")
def release():
    go.set()

@app.get("/fail")
def fail():
    raise RuntimeError("broken on purpose")

@app.route("/method", method=METHODS)
def method():
    return request.method

@app.get("/who")
def who():
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {"address": request.remote_addr, "url": request.url, "headers": headers}
"""

PLAIN_ASGI = """
import asyncio, json
from deta import app as functions

go = asyncio.Event()

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("only http")
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    path, body = scope["path"], [b""]
    if path == "/":
        print("asked")
        body = [b'{"hello": "asgi"}']
    elif path == "/echo":
        more = True
        while more:
            message = await receive()
            body.append(message["body"])
            more = message.get("more_body", False)
    elif path == "/stream":
        body = [b"first", b"second"]
    elif path == "/go":
        go.set()
    elif path == "/fail":
        raise RuntimeError("broken on purpose")
    elif path == "/method":
        body = [scope["method"].encode()]
    elif path == "/who":
        url = scope["scheme"] + "://" + scope["server"][0] + path
        body = [json.dumps({"address": scope["client"][0], "url": url, "headers": headers}).encode()]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in body:
        if part == b"second":
            await go.wait()
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})
"""

PLAIN_WSGI = """
import json, threading
from deta import app as functions

go = threading.Event()

def app(environ, start_response):
    path, body = environ["PATH_INFO"], [b""]
    if path == "/":
        print("asked")
        body = [b'{"hello": "wsgi"}']
    elif path == "/echo":
        body = [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]
    elif path == "/stream":
        body = parts()
    elif path == "/go":
        go.set()
    elif path == "/fail":
        raise RuntimeError("broken on purpose")
    elif path == "/method":
        body = [environ["REQUEST_METHOD"].encode()]
    elif path == "/who":
        headers = {k[5:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("HTTP_")}
        url = environ["wsgi.url_scheme"] + "://" + environ["SERVER_NAME"] + path
        body = [json.dumps({"address": environ["REMOTE_ADDR"], "url": url, "headers": headers}).encode()]
    start_response("200 OK", [])
    return body

def parts():
    yield b"first"
    go.wait()
    yield b"second"
"""

PYTHON_FUNCTIONS = """
from deta import app as noted

@noted.lib.run("greet")
def greet(event):
    print("greeting")
    return {"json": event.json, "body": event.body, "type": event.type, "action": event.action}

@noted.lib.run()
@noted.lib.cron()
async def both(event):
    return event.type

@noted.lib.run("broken")
def broken(event):
    raise RuntimeError("broken function")
"""

EXPRESS = """
const { App } = require("deta");
const express = require("express");

const app = App(express());
let go;
const gone = new Promise((resolve) => { go = resolve; });

app.use(express.raw({ type: () => true }));
app.get("/", (request, response) => {
  console.log("asked");
  response.json({ hello: "express" });
});
app.post("/echo", (request, response) => response.send(request.body));
app.get("/stream", async (request, response) => {
  response.write("first");
  await gone;
  response.end("second");
});
app.get("/go", (request, response) => { go(); response.end(); });
app.get("/fail", () => { throw new Error("broken on purpose"); });
app.all("/method", (request, response) => response.send(request.method));
app.get("/who", (request, response) => {
  const url = `${request.protocol}://${request.get("host")}${request.url}`;
  response.json({ address: request.ip, url, headers: request.headers });
});

module.exports = app;
"""

KOA = """
const { app: functions } = require("deta");
const Koa = require("koa");
const { PassThrough } = require("node:stream");

const app = new Koa();
let go;
const gone = new Promise((resolve) => { go = resolve; });

const answers = {
  "/": (ctx) => { console.log("asked"); ctx.body = { hello: "koa" }; },
  "/echo": async (ctx) => {
    const parts = [];
    for await (const part of ctx.req) parts.push(part);
    ctx.body = Buffer.concat(parts);
  },
  "/stream": (ctx) => {
    ctx.body = new PassThrough();
    ctx.body.write("first");
    gone.then(() => ctx.body.end("second"));
  },
  "/go": (ctx) => { go(); ctx.body = ""; },
  "/fail": () => { throw new Error("broken on purpose"); },
  "/method": (ctx) => { ctx.body = ctx.method; },
  "/who": (ctx) => { ctx.body = { address: ctx.ip, url: ctx.href, headers: ctx.headers }; },
};
app.use((ctx) => answers[ctx.path](ctx));

module.exports = app;
"""

FASTIFY = """
import Fastify from "fastify";
import { App, app as functions } from "deta";

const app = Fastify();
let go;
const gone = new Promise((resolve) => { go = resolve; });

app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
app.get("/", async () => { console.log("asked"); return { hello: "fastify" }; });
app.post("/echo", async (request) => request.body);
app.get("/stream", (request, reply) => {
  reply.hijack();
  reply.raw.write("first");
  gone.then(() => reply.raw.end("second"));
});
app.get("/go", async () => { go(); return ""; });
app.get("/fail", async (request, reply) => {
  console.error(new Error("broken on purpose"));
  return reply.code(500).send();
});
app.all("/method", async (request) => request.method);
app.get("/who", async (request) => {
  return { address: request.ip, url: `${request.protocol}://${request.host}${request.url}`, headers: request.headers };
});

export default app;
"""

PLAIN_NODE = """
const { app: functions } = require("deta");
let go;
const gone = new Promise((resolve) => { go = resolve; });

module.exports = (request, response) => {
  if (request.url === "/") {
    console.log("asked");
    response.end('{"hello": "node"}');
  } else if (request.url === "/echo") {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => response.end(Buffer.concat(parts)));
  } else if (request.url === "/stream") {
    response.write("first");
    gone.then(() => response.end("second"));
  } else if (request.url === "/go") {
    go();
    response.end();
  } else if (request.url === "/fail") {
    setTimeout(() => { throw new Error("broken on purpose"); }, 1);
  } else if (request.url === "/method") {
    response.end(request.method);
  } else {
    const scheme = request.socket.encrypted ? "https" : "http";
    const url = `${scheme}://${request.headers.host}${request.url}`;
    response.end(JSON.stringify({ address: request.socket.remoteAddress, url, headers: request.headers }));
  }
};
"""

NODE_FUNCTIONS = """
const { app: noted } = require("deta");
noted.lib.run((event) => { console.log("greeting"); return event; }, "greet");
const both = async (event) => event.type;
noted.lib.run(both);
noted.lib.cron(both);
noted.lib.run(() => { throw new Error("broken function"); }, "broken");
"""


@dataclass(frozen=True)
class App:
    """An app by the name of its framework, which is what it says hello with."""

    name: str
    kind: str
    files: dict[str, str]


def _python(name: str, code: str) -> App:
    return App(name, "python", {"main.py": code + PYTHON_FUNCTIONS})


def _node(name: str, code: str) -> App:
    return App(name, "node", {"index.js": code + NODE_FUNCTIONS})


APPS = (
    _python("fastapi", FASTAPI),
    _python("starlette", STARLETTE),
    _python("flask", FLASK),
    _python("bottle", BOTTLE),
    _python("asgi", PLAIN_ASGI),
    _python("wsgi", PLAIN_WSGI),
    _node("express", EXPRESS),
    _node("koa", KOA),
    App(
        "fastify",
        "node",
        {
            "package.json": '{"type": "module"}',
            "index.js": 'import "./functions.cjs";\n' + FASTIFY,
            "functions.cjs": NODE_FUNCTIONS,
        },
    ),
    _node("node", PLAIN_NODE),
)
