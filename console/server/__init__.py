"""The web server: HTTP/1.1 in a few processes, each with one event loop and a few threads.

The loop takes requests in and sends answers out, for as many clients as there are and however slow they are; a request goes to
a thread when all of it is here, and no thread ever waits for a client. `docs/decisions/web-server.md` says why it is ours.

`processes` keeps them running, `worker` is one of them, `connection` one client's, after one of the `handshakes` over TLS;
`heads`, `bodies`, `chunks` and `answers` are the parts of a request and its answer, `threads` does the work, `proxies` knows
who really asks. `live` is for answers that last. What the application is, and that it is Django's, is not known here: it is a
function from the variables of a request to `Answer`.
"""
