"""A git server over HTTP: git's own `http-backend` behind Python's web server, with a few paths that a hostile one would have.

`python -m tests.git_server FOLDER ADDRESS PORT` serves the repositories in a folder until it is ended. It tells its port on
standard output, and chooses one for 0.
"""

import contextlib
import http.server
import os
import subprocess
import sys
import time
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """`/secret/` asks who is there, `/elsewhere/HOST/...` redirects to another host, `/slow/` takes its time for what is git's.

    Everything else is git's.
    """

    folder: Path

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/secret/"):
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'})
        elif self.path.startswith("/elsewhere/"):
            self._answer(302, {"Location": f"http://{self.path.removeprefix('/elsewhere/')}"})
        elif self.path.startswith("/local/"):
            self._answer(302, {"Location": f"file://{self.path.removeprefix('/local')}"})
        elif self.path.startswith("/slow/"):
            self._drip()
        else:
            self._serve()

    do_POST = do_GET  # noqa: N815 (what the library looks for)

    def _drip(self) -> None:
        """An answer that never ends, a little faster than what git itself gives up on."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(b"001e# service=git-upload-pack\n0000")
            while True:
                self.wfile.write(b"0fff" + b"x" * 200)
                time.sleep(0.5)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._answer(int(headers.pop("Status", "200").split()[0]), headers, answer)


def main() -> None:
    """Serve until the process is ended."""
    folder, address, port = sys.argv[1:]
    Handler.folder = Path(folder)
    with http.server.ThreadingHTTPServer((address, int(port)), Handler) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
