"""The words of `storage/micro_host.py`, where this room's modules look for them."""

from storage.micro_host import (
    Built,
    Cloned,
    Fault,
    FaultKind,
    GitSource,
    Line,
    MicroHost,
    Source,
    State,
    Status,
    Tried,
    Wanted,
)

__all__ = [
    "Built",
    "Cloned",
    "Fault",
    "FaultKind",
    "GitSource",
    "Line",
    "MicroHost",
    "Source",
    "State",
    "Status",
    "Tried",
    "Wanted",
]
