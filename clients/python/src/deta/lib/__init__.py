"""The oldest interface, of which Cloud Files is what apps still use: `from deta.lib import files`."""

from deta.lib import files
from deta.micros import App, app

__all__ = ["App", "app", "files"]
