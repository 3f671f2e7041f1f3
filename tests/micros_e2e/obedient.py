"""An app that runs what it is sent: by it, tests do inside of a Micro whatever somebody's code could do."""

import json
import os
import traceback

WHO = "version 1"


def app(environ, start_response):
    code = environ["wsgi.input"].read().decode()
    found = {"found": None, "start_response": start_response}
    status = "200 OK"
    if code:
        try:
            exec(code, found)  # noqa: S102 (that is what it is for)
        except BaseException:
            status, found["found"] = "500 Internal Server Error", traceback.format_exc()
    else:
        print("asked by", environ.get("QUERY_STRING"))
        found["found"] = [WHO, os.environ.get("CANARY", "")]
    if found.get("is_answered"):
        return found["body"]
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(found["found"]).encode()]
