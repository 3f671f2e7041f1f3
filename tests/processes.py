"""Processes that may be gone, or be a zombie that nobody has waited for, while a test looks at them."""

import psutil


def lives(process: psutil.Process) -> bool:
    """Whether it is there and runs."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def living_children(process: psutil.Process, word: str = "") -> list[psutil.Process]:
    """Those of a process, of one that is gone none, whose command line holds the word."""
    found = []
    try:
        children = process.children()
    except psutil.NoSuchProcess:
        return []
    for child in children:
        try:
            # Of a zombie it can't be read.
            if word in " ".join(child.cmdline()) and lives(child):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
