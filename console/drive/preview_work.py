"""The helpers that read strangers' files for the previews; the tasks are those of `preview_helper.py`."""

from console.bounded_work.helpers import Helpers

run = Helpers("console.drive.preview_helper").run
