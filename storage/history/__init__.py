"""What the items of Bases were, and who changed them: noted by the database itself with every write, in
`migrations/0016_history.py`."""
