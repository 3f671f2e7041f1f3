"""The public API with the recorder around it: every request to `/v1` goes through it.

Django has to be set up before this is imported.
"""

from console.api.handler import ApiHandler
from console.recording.recorder import Recorder

api = Recorder(ApiHandler(prefix="/v1/?"))
