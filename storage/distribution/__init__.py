"""Distributing the items over several servers by Citus, and bringing them back into one: experimental (docs/citus.md).

`checks.py` says what is in the way, `distributing.py` does it, and `gathering.py` undoes it. Whether it is so is asked in
`storage/postgres/distribution.py`.
"""
