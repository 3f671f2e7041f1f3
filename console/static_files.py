"""How static files are gathered: under names with a hash of their content, with a compressed copy beside each.

The stylesheet that imports the others is gathered with them in it: a page asks for one file instead of thirty, the last of which
it would learn of only when the first has come.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

MAIN_STYLESHEET = "css/main.css"

_IMPORT = re.compile(r'^@import url\("([^"\n]+)"\) layer\((\w+)\);$', re.M)


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Whitenoise's, without Brotli, which it takes where that is installed: gathering costs four times as much with it."""

    def create_compressor(self, **options: Any) -> Compressor:
        """Gzip alone."""
        return Compressor(use_brotli=False, **options)

    def post_process(self, paths: Mapping[str, tuple[Storage, str]], **options: Any) -> Iterator[Any]:
        """As above it, with the one stylesheet made whole first."""
        if MAIN_STYLESHEET in paths:
            storage, path = paths[MAIN_STYLESHEET]
            paths = {**paths, MAIN_STYLESHEET: (_Whole(storage), path)}
        yield from super().post_process(paths, **options)


class _Whole(Storage):
    """A place of stylesheets, each of which is read with those in it that it imports into a layer."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def _open(self, path: str, mode: str = "rb") -> ContentFile:
        """The stylesheet. Those it imports name no files themselves: an address in them would mean another place here."""

        def layer(found: re.Match[str]) -> str:
            return f"@layer {found[2]} {{\n{self._read(str(PurePosixPath(path).parent / found[1]))}}}"

        return ContentFile(_IMPORT.sub(layer, self._read(path)).encode())

    def _read(self, path: str) -> str:
        with self._storage.open(path) as file:
            return bytes(file.read()).decode()
