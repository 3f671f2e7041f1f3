"""Static files out of packages that carry far more of them than the pages use.

`django-ace` brings the Ace editor with about 650 files for languages, themes and keyboards; collecting, hashing and
compressing those would make the first start a good deal longer. The JSON editor needs these few. django-allauth brings
scripts for pages of its own, which this server does not have.
"""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.staticfiles.finders import AppDirectoriesFinder, BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage

_PREFIX = "ace"
_FILES = ("ace.js", "mode-json.js", "css/ace.css", "css/main-*")


class AppsFinder(AppDirectoriesFinder):
    """The static files of the apps whose pages these are."""

    def __init__(self, app_names: Iterable[str] | None = None, *args: Any, **kwargs: Any) -> None:
        names = app_names or [config.name for config in apps.get_app_configs()]
        super().__init__([name for name in names if not name.startswith("allauth.")], *args, **kwargs)


class AceFinder(BaseFinder):
    """Ace's core, its JSON mode and its style sheet with the pictures that it names, below `ace/`."""

    def __init__(self, *_: Any, **__: Any) -> None:
        spec = find_spec("django_ace")
        if spec is None or spec.origin is None:
            raise ImproperlyConfigured("The package django-ace, which brings the JSON editor, is not installed")
        self._folder = Path(spec.origin).parent / "static" / "django_ace" / "ace"
        self._storage = FileSystemStorage(location=self._folder)
        self._storage.prefix = _PREFIX  # type: ignore[attr-defined]  # collectstatic looks for it there

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        for pattern in _FILES:
            for path in sorted(self._folder.glob(pattern)):
                name = path.relative_to(self._folder).as_posix()
                if not matches_patterns(name, list(ignore_patterns or [])):
                    yield name, self._storage

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        name = path.removeprefix(f"{_PREFIX}/")
        is_ours = name != path and any(found == name for found, _ in self.list([]))
        found = [str(self._folder / name)] if is_ours else []
        return found if find_all else (found[0] if found else [])
