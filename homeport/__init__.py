"""The installed package: a version and the command `homeport`. The server itself is the Django project beside or inside it."""

__version__ = "0.1.0"
