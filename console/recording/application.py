"""The public API with the recorder around it: every request to `/v1` goes through it.

Django has to be set up before this is imported.
"""

from console.api.handler import ApiHandler
from console.recording.recorder import Recorder

_handler = ApiHandler(prefix="/v1/?")
api = Recorder(_handler)

# For what people ask of the API through the command: as the console's own requests, nobody is to find it among the apps'.
respond_unrecorded = _handler.respond
