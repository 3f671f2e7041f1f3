"""The public API with the recorder around it: every request to `/v1` goes through it.

Django has to be set up before this is imported.
"""

from console.api import handler
from console.recording.recorder import Recorder

api = Recorder(handler.answer)

# For what people ask of the API through the command: as the console's own requests, nobody is to find it among the apps'.
respond_unrecorded = handler.respond
