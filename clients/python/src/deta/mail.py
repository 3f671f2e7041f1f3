"""`send_email`: it hands a message to the mailer of the app's surroundings, as the original client does."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import Union

from deta.errors import Answer, ConnectionFailed, InvalidArgument, error_for_status
from deta.wire import JSON_MIME, dump


def send_email(to: Union[str, list[str]], subject: str, message: str, charset: str = "UTF-8") -> None:
    """POST the message to `DETA_MAILER_URL`, with the data key. Homeport has no mailer: without the variable, InvalidArgument."""
    mailer = os.environ.get("DETA_MAILER_URL", "").rstrip("/")
    if not mailer.startswith(("http://", "https://")):
        raise InvalidArgument("No mailer: set DETA_MAILER_URL to the address of one")
    url = f"{mailer}/mail/{os.environ.get('AWS_LAMBDA_FUNCTION_NAME')}"
    content = dump(
        {"to": to if isinstance(to, list) else [to], "subject": subject, "message": message, "charset": charset}
    )
    headers = {"Content-Type": JSON_MIME, "X-API-Key": os.environ.get("DETA_PROJECT_KEY", "")}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, content, headers)) as answer:  # noqa: S310 (http only)
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(1000).decode(errors="replace")
        answer = Answer(url, "POST", error.code)
        raise error_for_status(f"The mailer refused: {said} (HTTP {error.code})", (), answer) from None
    except OSError as error:
        raise ConnectionFailed(f"The mailer does not answer: {error}") from None
