"""An OpenID Connect provider on this machine: real HTTP, real signatures, and every way of answering wrongly."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "homeport-at-test", "secret-of-the-client-Ab9"


@dataclass
class Provider:
    """What it says of whom, and what it does wrong. `issuer` is its address."""

    issuer: str
    key: rsa.RSAPrivateKey
    # Who is signed in there, and what the next token says besides.
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "1"})
    # What replaces claims of the token, after all the right ones.
    forged: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signing_key: Any = None
    in_userinfo: dict[str, Any] | None = None
    # What replaces addresses in what it says of itself.
    endpoints: dict[str, str] = field(default_factory=dict)
    is_down: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)  # what browsers came with
    exchanged: list[dict[str, str]] = field(default_factory=list)  # what the server came with for tokens

    def authorize(self, address: str) -> str:
        """What its page answers a browser that was sent to this address: where it goes next."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.asked.append(query)
        code = base64.urlsafe_b64encode(json.dumps(query).encode()).decode()
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def make_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": asked["client_id"], "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = {name: value for name, value in (claims | self.claims | self.forged).items() if value is not None}
        return jwt.encode(claims, self.signing_key or self.key, algorithm=self.algorithm, headers={"kid": "one"})

    def answer(self, path: str, form: dict[str, str], bearer: str) -> tuple[int, Any]:
        if self.is_down:
            return 500, {}
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                **self.endpoints,
            }
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}
        if path == "/userinfo" and bearer == "Bearer access":
            return 200, self.in_userinfo or {"sub": self.claims["sub"]}
        if path == "/token":
            return self._exchange(form)
        return 404, {}

    def _exchange(self, form: dict[str, str]) -> tuple[int, Any]:
        self.exchanged.append(form)
        asked = json.loads(base64.urlsafe_b64decode(form["code"]))
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET) or proof != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": self.make_token(asked)}


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider that answers until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            path = urlsplit(self.path).path
            if path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(self.path))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, value = provider.answer(path, form, self.headers.get("Authorization", ""))
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = f"http://127.0.0.1:{server.server_address[1]}"
        provider = Provider(issuer, rsa.generate_private_key(public_exponent=65537, key_size=2048))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
