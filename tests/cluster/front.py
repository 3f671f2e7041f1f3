"""The cluster as its clients see it: by one machine's HAProxy, which has to be left alive."""

import json
from collections.abc import Callable
from functools import partial

from deploy.cluster.one_machine import Cluster, Machine
from tests.serving import Server
from tests.waiting import eventually


class Front(Server):
    """Like one server. Its commands speak for the node of that machine."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        machine = cluster.machines[name]
        super().__init__(machine.folder / "homeport", 8000, 0, cluster.node_environment(machine))
        self.url = cluster.url(name)
        self.entry = machine


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
    """Have another machine lead, as somebody does before and after work on one."""
    leader = cluster.leader()
    assert leader
    status, answer = cluster.ask_patroni(leader, "POST", "/switchover", {"leader": leader.name, "candidate": to.name})
    assert status == 200, answer
    wait_for_leader(cluster, lambda machine: machine is to)


def wait_for_leader(cluster: Cluster, is_right: Callable[[Machine], bool]) -> Machine:
    """Wait until one leads of which that is so."""

    def find() -> Machine | None:
        leader = cluster.leader()
        return leader if leader and is_right(leader) else None

    found = eventually(find, what="nobody took over")
    assert found
    return found
