"""The sockets that a worker serves on."""

import socket
import ssl
from dataclasses import dataclass

# In the variables of a request: it came in where the API alone is served.
API_ONLY = "homeport.api_only"
# Who asks there.
MICRO = "micro"
# In the variables of a request: the Caddy that `serve` runs passed it on.
BEHIND_CADDY = "homeport.behind_caddy"


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens already, and the TLS that is spoken there.

    `is_behind_caddy`: a Unix socket that the Caddy alone reaches which `serve` runs, so what it says of who asks is believed.
    `is_for_micros`: a Unix socket by which people's apps reach the API, and nothing else. Who asks there is known, and no header
    is believed to tell otherwise.
    """

    socket: socket.socket
    tls: ssl.SSLContext | None = None
    is_for_micros: bool = False
    is_behind_caddy: bool = False

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"
