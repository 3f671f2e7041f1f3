"""`python -m console.listener`: granian's command line, with the application imported before it forks its workers.

Workers then start in no time, also in the place of one that died, and share the memory of the code. Where processes are
spawned instead of forked (macOS, Windows) each imports the application by itself, as it would anyway.
"""

import gc

from django.urls import get_resolver
from granian.cli import entrypoint

import console.wsgi  # noqa: F401 (imported for its effect: Django is set up)


def main() -> None:
    """Load every route's code, and nothing that a fork must not share: no connection and no thread exists yet."""
    _ = get_resolver().url_patterns
    # Collecting would touch, and so copy, every page that the workers could share.
    gc.freeze()
    entrypoint()


if __name__ == "__main__":
    main()
