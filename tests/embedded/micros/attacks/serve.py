"""Runs inside a sandbox: serves a Flask app, or a FastAPI one, on the socket that it inherits, as a Micro's runtime does."""

import sys

import uvicorn
from a2wsgi import WSGIMiddleware

if sys.argv[1] == "Flask":
    from flask import Flask

    flask = Flask(__name__)
    flask.get("/")(lambda: "Hello from Flask")
    app = WSGIMiddleware(flask)
else:
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    def hello() -> str:
        return "Hello from FastAPI"


uvicorn.run(app, fd=3, log_level="warning")
