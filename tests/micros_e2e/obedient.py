"""An app that runs what it is sent: by it, tests do inside of a Micro whatever somebody's code could do."""

import json
import os
import sys
import traceback

WHO = "version 1"


def app(environ, start_response):
    code = environ["wsgi.input"].read().decode()
    found = {"found": None, "start_response": start_response}
    status = "200 OK"
    if code:
        try:
            exec(code, found)
        except BaseException:
            status, found["found"] = "500 Internal Server Error", traceback.format_exc()
    else:
        sys.stdout.write(f"asked by {environ.get('QUERY_STRING')}\n")
        found["found"] = [WHO, os.environ.get("CANARY", "")]
    if found.get("is_answered"):
        return found["body"]
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(found["found"]).encode()]
