"""`python -m tests.embedded.micros.as_user JSON` looks around in a sandbox as whoever it is run by, and prints what it found."""

import os
import sys

from tests.embedded.micros.sandboxes import LIMITS, making_yard


def main() -> None:
    with making_yard(f"homeport-test-user-{os.getpid()}") as yard:
        ended = yard.run(*yard.python("look.py", sys.argv[1]), environment={"KEY": "secret-of-its-own"}, limits=LIMITS)
        sys.stderr.write(ended.errors)
        sys.stdout.write(ended.output)
        with yard.start(*yard.python("strain.py", "held"), limits=LIMITS) as running:
            running.sandboxed.stdout.readline()
            sys.stdout.write(f"{running.sandboxed.memory_bytes()}\n")


if __name__ == "__main__":
    main()
