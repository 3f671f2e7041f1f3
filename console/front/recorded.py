"""What answers requests to Micros with the recorder around it."""

from typing import Any

from console.front import application, paths
from console.recording.micro_recorder import MicroRecorder
from console.server.answers import Answer
from storage.models import Micro

_record = MicroRecorder(application.answer)


def answer(environ: dict[str, Any], micro: Micro) -> Answer:
    """As `application.answer`; what is asked of the server's own paths is not recorded. Raises BodyAwaited."""
    if paths.is_reserved(environ["PATH_INFO"]):
        return application.answer(environ, micro)
    return _record(environ, micro)
