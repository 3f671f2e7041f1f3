"""`python -m homeport`: the command `homeport` for those who name the Python that runs it."""

from homeport.cli import main

main()
