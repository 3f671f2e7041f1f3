"""Measurements of their own, each a command that explains itself at its top: `python -m bench.studies.history`."""
