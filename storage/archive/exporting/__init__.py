"""From a collection to a zip.

`exports.py` has the list, `zipping.py` makes the zip (`read_ahead.py` reads ahead meanwhile), `exported_micros.py` says what
of a Micro goes along. `snapshots.py` has the schedule, and tests whether an export can be restored.
"""
