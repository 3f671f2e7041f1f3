"""How static files are gathered: under names with a hash of their content, with a compressed copy beside each."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Whitenoise's, without Brotli, which it takes where that is installed: gathering costs four times as much with it."""

    def create_compressor(self, **options: Any) -> Compressor:
        """Gzip alone."""
        return Compressor(use_brotli=False, **options)
