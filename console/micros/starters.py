"""Starters: small apps that a person can begin from. Each is a folder of real files in `starter_apps`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("starter_apps")


@dataclass(frozen=True, slots=True)
class Starter:
    """`id` names its folder; `icon` is one of Lucide's; `tells` says in a sentence what the app does."""

    id: str
    name: str
    runtime: str
    icon: str
    tells: str

    def contents(self) -> dict[str, bytes]:
        """Its files by name, the one that starts it first."""
        return _read(self.id)

    def texts(self) -> dict[str, str]:
        """The same to be read."""
        return {name: content.decode() for name, content in self.contents().items()}


@cache
def _read(starter: str) -> dict[str, bytes]:
    folder = _FOLDER / starter
    found = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    found.sort(key=lambda path: (path.stem not in ("main", "index"), path.relative_to(folder).as_posix()))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


STARTERS = {
    each.id: each
    for each in (
        Starter("fastapi", "FastAPI", "Python", "zap", "A JSON API with its own documentation at /docs."),
        Starter("flask", "Flask", "Python", "flask-conical", "A small Python app that says hello."),
        Starter("express", "Express", "Node.js", "hexagon", "A small Node app that says hello."),
        Starter("webhook", "Webhook", "Python", "webhook", "Takes what another service sends, and keeps it in a Base."),
        Starter("form", "Form", "Python", "text-cursor-input", "A page with a form whose answers land in a Base."),
    )
}
