"""The format of log entries, and which of Django's are dropped."""

import logging


class OneLine(logging.Formatter):
    """Text on one line, so that nobody can write an entry of their own into the log by sending a line break."""

    def format(self, record: logging.LogRecord) -> str:
        """The formatted record with its line breaks shown as `\\n`."""
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")


class WithoutUnavailable(logging.Filter):
    """Leaves out Django's entry for every 503 and 507: an engine that is down or full is logged where it was noticed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the entry stays."""
        return getattr(record, "status_code", None) not in (503, 507)
