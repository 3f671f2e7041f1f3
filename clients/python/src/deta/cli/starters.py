"""What `deta new` writes into an empty folder: an app that says hello and needs nothing installed."""

from __future__ import annotations

_PYTHON = """\
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"Hello, World!"]
"""
_NODE = """\
module.exports = (request, response) => {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end("Hello, World!");
};
"""

# By kind of runtime: the file that starts an app, and what it holds at first.
STARTERS = {"python": ("main.py", _PYTHON), "node": ("index.js", _NODE)}
