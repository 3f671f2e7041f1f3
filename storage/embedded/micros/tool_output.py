"""What a program of this machine says, asked once: an empty answer where it can't be had."""

import subprocess

LOOK_SECONDS = 60


def output_of(*command: str) -> str:
    """What it prints; an empty text when it fails, is not there, or takes over a minute."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=LOOK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
