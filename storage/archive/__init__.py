"""Exports, imports and snapshots of collections. Knows no HTTP.

Exports: `exports.py` has the list, `zipping.py` turns one moment of a collection into a zip (`read_ahead.py` reads ahead
meanwhile), which goes into the bucket as parts (`storage/drive/parts.py`). Imports: `imports.py` has the list, `sources.py` reads
an archive of any origin (`storage/zip_reader.py`), `checking.py` checks all of it, `importer.py` stores what was chosen.
`worker.py` is what the job worker runs for both; `snapshots.py` has the schedule, and tests whether an export can be restored.
"""
