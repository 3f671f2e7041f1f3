"""`python -m tests.soak --minutes 60`: a server of its own, used by everybody; ends with 1 when something grew or failed.

The rule: after the first third of the time a line is laid through the samples of each process group's memory (its share, without
what processes share on purpose) and descriptors, their number, and each table's rows. It may climb by a tenth of the mean, or by
24 MB, 6 processes or 50 rows, whichever is more; the mean of PostgreSQL's processes by half a megabyte; descriptors by 12 in 40
minutes, and only if they climb from each quarter of that time to the next. No answer is a 5xx, no backup or drill fails, and no
log has a traceback.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import tests.engines  # noqa: F401 (a data folder and ports of its own, before anything reads the settings)


def main() -> None:
    """Parse the arguments, start the server, let everybody use it, say what came of it."""
    arguments = argparse.ArgumentParser(prog="python -m tests.soak")
    arguments.add_argument("--minutes", type=float, default=60.0)
    arguments.add_argument("--keep-logs", type=Path, metavar="FOLDER", help="copy the server's logs there")
    asked = arguments.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    import django

    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from tests.serving import Server
    from tests.soak.report import told, wrong
    from tests.soak.users import Crowd
    from tests.soak.watching import Watch
    from tests.soak.world import World

    http, https = int(os.environ["HOMEPORT_PORT"]), int(os.environ["HOMEPORT_TLS_PORT"])
    server = Server(Path(os.environ["HOMEPORT_DATA"]), http, https).start()
    backups = Path(tempfile.mkdtemp(prefix="homeport-soak-"))
    try:
        server.wait_ready()
        crowd, watch = Crowd(World(server, backups)), Watch(server)
        print(
            f"{asked.minutes:g} minutes from {time.strftime('%Y-%m-%d %H:%M:%S')}, {len(crowd.answered)} kinds of users"
        )
        with watch, crowd:
            time.sleep(asked.minutes * 60)
        logs = [server.log_path, *server.data.rglob("*.log")]
        print("\n".join(told(crowd, watch)))
        found = wrong(crowd, watch, logs)
        if asked.keep_logs:
            asked.keep_logs.mkdir(parents=True, exist_ok=True)
            for log in logs:
                shutil.copy(log, asked.keep_logs)
    finally:
        server.stop()
        shutil.rmtree(backups)
    print("\n".join(["", *found]) if found else "\nNothing grew, nothing failed.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
