"""The words of `storage/micro_host.py`, where this room's modules look for them."""

from storage.micro_host import (
    Answered,
    Built,
    Call,
    Fault,
    FaultKind,
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
    "Fault",
    "FaultKind",
    "Line",
    "MicroHost",
    "Source",
    "State",
    "Status",
    "Tried",
    "Wanted",
]
