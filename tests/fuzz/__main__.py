"""`python -m tests.fuzz --minutes 60`: a server of its own, attacked for so long; ends with 1 at the first wrong answer.

It prints the seed of each round. `--seed N` runs that round again.
"""

import argparse
import os
import sys
from pathlib import Path

import tests.engines  # noqa: F401 (a data folder and ports of its own, before anything reads the settings)


def main() -> None:
    """Parse the arguments, start the server, attack it, stop it."""
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz")
    arguments.add_argument("--minutes", type=float, default=60.0)
    arguments.add_argument("--seed", type=int)
    asked = arguments.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    import django

    django.setup()
    from tests.fuzz.attack import Log, run_for
    from tests.fuzz.world import World
    from tests.serving import Server

    http, https = int(os.environ["HOMEPORT_PORT"]), int(os.environ["HOMEPORT_TLS_PORT"])
    server = Server(Path(os.environ["HOMEPORT_DATA"]), http, https).start()
    try:
        server.wait_ready()
        world = World(server.url)
        requests = run_for(world, Log(server.log_path), asked.minutes * 60, asked.seed)
        print(
            f"{requests:,} requests, no 5xx and no traceback; answers by status: {dict(world.answered.most_common())}"
        )
    except AssertionError as error:
        sys.exit(f"A wrong answer: {error}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
