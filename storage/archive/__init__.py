"""Everything in, everything out: exports, imports and snapshots of collections. Knows no HTTP.

The way out: `exports.py` keeps the list, `zipping.py` turns one moment of a collection into a zip (`read_ahead.py` reads on
meanwhile), `parts.py` puts it into the bucket as it comes. The way in: `imports.py` keeps the list, `sources.py` says what
an archive holds, whoever made it, `checking.py` looks through all of it, `importer.py` stores what was chosen. `worker.py` is
what the job worker does of both; `snapshots.py` has the schedule, and tries whether an export can be restored.
"""
