"""The filters of system calls that Micros run under, one for each kind of machine, as the kernel takes them.

`make.py` makes them from `denied.py`; a server needs nothing but the files.
"""

from pathlib import Path

MACHINES = ("x86_64", "aarch64")


def path_for(machine: str) -> Path:
    """The file with the filter of a machine, as `os.uname().machine` names it."""
    return Path(__file__).with_name(f"{machine}.bpf")
