"""Gathers static files: under names with a hash of their content, with a compressed copy beside each.

A page asks for one stylesheet instead of thirty and for two scripts instead of eighty, the last of which it would learn of only
when six others have come: `stylesheets.py` and `modules.py` make them whole. Comments stay behind.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

from console.static_files import modules, stylesheets


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Whitenoise's, without Brotli, which it takes where that is installed: gathering costs four times as much with it."""

    def create_compressor(self, **options: Any) -> Compressor:
        """Gzip alone."""
        return Compressor(use_brotli=False, **options)

    def post_process(self, paths: Mapping[str, tuple[Storage, str]], **options: Any) -> Iterator[Any]:
        """As above it, with stylesheets and modules made whole first. Modules that are within others get no name of their own."""
        texts = {name: _read(*place) for name, place in paths.items() if name.endswith((".css", ".js"))}
        whole = modules.gather(texts) | {
            name: stylesheets.make_whole(name, texts) for name in texts if name.endswith(".css")
        }
        inner = modules.find_modules(texts) - whole.keys()
        made = _Made(whole)
        kept = {name: (made, name) if name in whole else place for name, place in paths.items() if name not in inner}
        yield from super().post_process(kept, **options)


class _Made(Storage):
    """What was made here instead of being read."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def _open(self, path: str, mode: str = "rb") -> ContentFile:
        return ContentFile(self._texts[path].encode())


def _read(storage: Storage, path: str) -> str:
    with storage.open(path) as file:
        return bytes(file.read()).decode()
