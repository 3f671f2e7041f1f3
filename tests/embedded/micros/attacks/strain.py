"""Runs inside a sandbox: takes as much of one thing as it can get, and reports how much that was.

Its argument names the thing."""

import contextlib
import errno
import json
import mmap
import os
import sys
import time

MB = 1024 * 1024


def tell(**found):
    print(json.dumps(found), flush=True)


def processes():
    """Sleeping ones, until there are no more; then a whole bomb of them, for ever."""
    made = 0
    while True:
        try:
            child = os.fork()
        except OSError as error:
            tell(made=made, error=errno.errorcode[error.errno])
            break
        if child == 0:
            time.sleep(600)
        made += 1
    while True:
        with contextlib.suppress(OSError):
            os.fork()


def processes_few():
    for _ in range(20):
        if os.fork() == 0:
            time.sleep(600)
    tell(made=20)


def held():
    one = bytearray(60 * MB)
    tell(held_mb=len(one) // MB)
    time.sleep(600)


def threads():
    import threading

    made = 0
    stop = threading.Event()
    try:
        while True:
            threading.Thread(target=stop.wait, daemon=True).start()
            made += 1
    except (RuntimeError, MemoryError):
        tell(made=made)
        os._exit(0)


def memory():
    """Of one process, which lives on."""
    held = []
    try:
        while True:
            held.append(bytearray(MB))
    except MemoryError:
        taken = len(held)
        held.clear()
        tell(taken_mb=taken)


def memory_of_many():
    """Each child below what one may have, all together far above."""
    for _ in range(6):
        if os.fork() == 0:
            held = bytearray(80 * MB)
            tell(held_mb=len(held) // MB)
            time.sleep(600)
    time.sleep(600)


def shared_memory():
    """It is no process's own, and no limit of a process counts it."""
    held = []
    for _ in range(8):
        held.append(mmap.mmap(-1, 50 * MB))
        held[-1].write(b"x" * 50 * MB)
    tell(held_mb=50 * len(held))
    time.sleep(600)


def tmp():
    """Many files there, and shared memory, which is the same."""
    taken = 0
    for folder in ("/tmp", "/dev/shm"):
        for number in range(64):
            try:
                with open(f"{folder}/{folder[1:4]}-{number}", "xb", buffering=0) as file:
                    taken += file.write(b"x" * MB)
            except OSError as error:
                last = errno.errorcode[error.errno]
                break
    for name in os.listdir("/tmp"):
        os.unlink(f"/tmp/{name}")
    with open("/tmp/again", "wb") as file:
        tell(taken_mb=taken / MB, error=last, again=file.write(b"x"))


def file():
    try:
        with open("/tmp/large", "wb", buffering=0) as one:
            while one.tell() < 64 * MB:
                one.write(b"x" * MB)
    except OSError as error:
        tell(error=errno.errorcode[error.errno], size_mb=os.stat("/tmp/large").st_size / MB)


def orphans():
    """Processes in sessions of their own, whose parents are gone."""
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execv(sys.executable, [sys.executable, "-I", "-c", "import time; time.sleep(600)", sys.argv[2]])
            os._exit(0)
    for _ in range(5):
        os.wait()
    tell(left=5)
    if sys.argv[3:]:
        time.sleep(600)


def everyone():
    """Signals to all that can be reached."""
    with contextlib.suppress(OSError):
        os.kill(-1, 9)
    tell(sent=True)


globals()[sys.argv[1]]()
