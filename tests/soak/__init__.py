"""An hour with everything on: memory, descriptors and tables stay as they are, and nothing is answered by a 5xx.

`python -m tests.soak --minutes 60`, which `make soak` runs among others.
"""
