"""The first program in a Micro's sandbox: it bounds what follows, opens the two ports inside, and becomes the Micro's command.

It is started as `enter.py FD` by an isolated Python, and reads from that descriptor one JSON object: `command`, `environment`,
`limits` (by the names of `resource`), `control`, `listener` (null for a build), `groups` (open `cgroup.procs` files), `user`
(the uid and gid to take where the sandbox has no user namespace, or null), `niceness`. What follows finds descriptor 3, the
listening socket, and 4, the control socket, and no others.

The two listeners are opened here, in the sandbox's network, and handed out: a listening socket stays in its network whoever
accepts on it. Nothing of the environment is set before the user has changed, as a library could be loaded by it.
"""

import array
import contextlib
import fcntl
import json
import os
import resource
import socket
import sys

DOORS = {"api": 4443, "proxy": 4280}
LISTENER, CONTROL = 3, 4
# When the whole machine is out of memory, a Micro ends before a database does.
OUT_OF_MEMORY_SCORE = b"500"


def main():
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        setup = json.loads(file.read())
    for descriptor in setup["groups"]:
        os.write(descriptor, b"0")
        os.close(descriptor)
    put_in_place(setup["listener"], setup["control"])
    open_doors()
    os.nice(setup["niceness"])
    score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(score, OUT_OF_MEMORY_SCORE)
    os.close(score)
    if setup["user"] is not None:
        user, group = setup["user"]
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    for name, value in setup["limits"].items():
        limit = getattr(resource, name)
        highest = resource.getrlimit(limit)[1]
        value = value if highest == resource.RLIM_INFINITY else min(value, highest)
        resource.setrlimit(limit, (value, value))
    try:
        os.execvpe(setup["command"][0], setup["command"], setup["environment"])  # noqa: S606 (this is the sandbox)
    except OSError as error:
        sys.exit(f"{setup['command'][0]} can't be started: {error.strerror}.")


def put_in_place(listener, control):
    """Make these two descriptors 3 and 4, and close all others above."""
    above = [
        None if descriptor is None else fcntl.fcntl(descriptor, fcntl.F_DUPFD, 16) for descriptor in (listener, control)
    ]
    os.closerange(3, min(above[1], above[0] or above[1]))
    for descriptor, place in zip(above, (LISTENER, CONTROL), strict=True):
        if descriptor is not None:
            os.dup2(descriptor, place, inheritable=True)
    os.closerange(5, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def open_doors():
    with contextlib.ExitStack() as opened:
        doors = [opened.enter_context(socket.create_server(("127.0.0.1", port))) for port in DOORS.values()]
        control = opened.enter_context(socket.socket(fileno=os.dup(CONTROL)))
        descriptors = array.array("i", [door.fileno() for door in doors])
        message = json.dumps({"doors": list(DOORS)}).encode() + b"\n"
        control.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])


main()
