"""What a Micro printed, and what the server has to say of it, for a terminal."""

from django.http import HttpResponse

from console.cli_api.deployments import read_line_id
from console.cli_api.gate import TokenRequest
from console.json_views import json_response
from console.micros import shown
from storage.micro_logs import logs
from storage.micro_logs.logs import Source

_NAMES = {Source.OUTPUT: "output", Source.ERROR: "error", Source.SERVER: "server"}


def list_lines(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """`{"lines": [{"id", "at", "source", "text"}, ...]}`, oldest first: the newest 500, or the next 500 behind `?after=`.

    Ids grow in the order in which lines become visible: whoever asks for what comes after the last one misses none.
    """
    shown.find(request, collection_id, micro_id)
    found = logs.list_lines(micro_id=micro_id, sources=tuple(_NAMES), after=read_line_id(request))
    told = [
        {"id": line.id, "at": line.at.isoformat(), "source": _NAMES[Source(line.source)], "text": line.text}
        for line in found
    ]
    return json_response({"lines": told})
