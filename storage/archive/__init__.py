"""Exports, imports and snapshots of collections. Knows no HTTP.

`exporting/`: one moment of a collection as a zip, which goes into the bucket as parts (`storage/drive/parts.py`), and
snapshots on a schedule. `reading/`: the one parser of files and pasted text, whatever a file of items looks like. `importing/`:
what a file or zip holds, the check of all of it, and storing what was chosen. Here is what they share: the `manifest.py` of an
archive, the names of entries, the SQL, and `worker.py`, which the job worker runs for all of them.
"""
