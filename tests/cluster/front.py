"""The cluster as its clients see it: by one machine's HAProxy, which has to be left alive."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from deploy.cluster.one_machine import Cluster, Machine
from tests.serving import ROOT, Server
from tests.waiting import eventually

_SHELL = """
import contextlib, io, json, sys, traceback
import django
django.setup()
for line in sys.stdin:
    printed, fault = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(json.loads(line), {})
        except BaseException:
            fault = traceback.format_exc()
    # As after each request.
    django.db.connection.close()
    print(json.dumps([printed.getvalue(), fault]), flush=True)
"""


class Front(Server):
    """Like one server. What it is asked to run, one process runs that speaks for that machine's node: starting takes long."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        machine = cluster.machines[name]
        super().__init__(machine.folder / "homeport", 8000, 0, cluster.node_environment(machine))
        self.url = cluster.url(name)
        self.entry = machine
        self._shell: subprocess.Popen[str] | None = None

    def run_code(self, code: str) -> str:
        """As any server's."""
        if self._shell is None:
            self._shell = subprocess.Popen(
                [sys.executable, "-c", _SHELL],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(json.dumps(code) + "\n")
        self._shell.stdin.flush()
        printed, fault = json.loads(self._shell.stdout.readline())
        assert not fault, fault
        return str(printed).strip()

    def close(self) -> None:
        """End the process."""
        if self._shell is not None:
            self._shell.kill()
            self._shell.communicate()


def wait_whole(cluster: Cluster) -> None:
    """Wait until each machine has its place again: one leads, the others follow it, one of them is waited for."""

    def is_whole() -> bool:
        leader = cluster.leader()
        if leader is None or cluster.synchronous() is None:
            return False
        status, answer = cluster.ask_patroni(leader, "GET", "/cluster")
        members = json.loads(answer)["members"] if status == 200 else []
        return sorted(each["state"] for each in members) == ["running", "streaming", "streaming"]

    eventually(
        is_whole,
        what=lambda: {name: machine.children["patroni"].last_words() for name, machine in cluster.machines.items()},
    )
    for machine in cluster.machines.values():
        eventually(partial(answers, cluster, machine), what=f"the node of {machine.name} is not ready")


def answers(cluster: Cluster, machine: Machine) -> bool:
    """Whether the machine's own node reaches all it needs."""
    return cluster.answers(f"{cluster.node_url(machine)}/readyz")


def hand_over(cluster: Cluster, to: Machine) -> None:
    """Have another machine lead, as somebody does before and after work on one.

    Only the standby that commits wait for may take over. It is this one as soon as the third is stopped.
    """
    leader = cluster.leader()
    assert leader
    (third,) = (machine for machine in cluster.machines.values() if machine not in (leader, to))
    is_third_named = cluster.synchronous() is not to
    if is_third_named:
        third.children["patroni"].stop()
        eventually(lambda: cluster.synchronous() is to, what="the standby was not named")
    try:
        switch_over(cluster, leader, to)
    finally:
        if is_third_named:
            third.start("patroni")
    wait_for_leader(cluster, lambda machine: machine is to)


def switch_over(cluster: Cluster, leader: Machine, to: Machine) -> None:
    """Have the standby that commits wait for lead in place of `leader`."""
    status, answer = cluster.ask_patroni(leader, "POST", "/switchover", {"leader": leader.name, "candidate": to.name})
    assert status == 200, answer


def wait_for_leader(cluster: Cluster, is_right: Callable[[Machine], bool]) -> Machine:
    """Wait until one leads of which that is so."""

    def find() -> Machine | None:
        leader = cluster.leader()
        return leader if leader and is_right(leader) else None

    found = eventually(find, what="nobody took over")
    assert found
    return found
