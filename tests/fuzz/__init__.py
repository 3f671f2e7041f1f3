"""Odd values into every parameter of every route, pages and API together, on the real server.

`asked.py` finds out what a route reads, `values.py` holds what is odd, `world.py` what is there to be asked for, `sending.py`
sends bytes that no client would write, and `attack.py` puts them together. For longer than the tests do:
`python -m tests.fuzz --minutes 60`.
"""
