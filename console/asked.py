"""What Django's requests and the public API's own (`console/api/request.py`) have in common, for what serves both."""

from typing import Any, Protocol


class Asked(Protocol):
    """A request: its method and the variables of WSGI."""

    @property
    def method(self) -> str | None: ...

    @property
    def META(self) -> dict[str, Any]: ...  # noqa: N802 (Django's name)
