"""The words of `storage/micro_host.py`, where this room's modules look for them."""

from storage.micro_host import (
    Answered,
    Built,
    Call,
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
    "Answered",
    "Built",
    "Call",
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
