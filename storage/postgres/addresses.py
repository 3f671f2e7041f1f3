"""Where PostgreSQL is: `DATABASE_URL` read as libpq reads it, with one address or several of which one takes writes.

Of several, each new connection asks the one first that let this process in last: a leader that is gone without a word would
otherwise cost every connection its share of the wait.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

_FORM = "write postgres://user:password@host:port/name, with host1:port1,host2:port2 for several"
# Whoever is let in by a server of another kind could not write there.
_TAKING_WRITES = ("read-write", "primary")
_ADDRESS_PARTS = ("host", "hostaddr", "port")

_let_us_in: tuple[str, str] | None = None


class AddressError(ValueError):
    """The text is no address that can be meant; the message says what it should be, and repeats nothing of it."""


def read(text: str) -> dict[str, Any]:
    """A `postgres://` address as Django's settings of a database: NAME, USER, PASSWORD, HOST, PORT, OPTIONS, all of them texts.

    HOST and PORT are lists with commas where there are several addresses. Raises AddressError.
    """
    if not text.startswith(("postgres://", "postgresql://")):
        raise AddressError(_FORM)
    try:
        found: dict[str, Any] = {
            name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None
        }
    except Error:
        if "%" in text:
            raise AddressError(f"{_FORM}, and a % in a name or password as %25") from None
        raise AddressError(_FORM) from None
    if not found.get("dbname"):
        raise AddressError("the name of the database is missing at its end")
    if not found.get("port", "").strip(","):
        # libpq counts the hosts in it even where none names a port.
        found.pop("port", None)
    _check_ports(found)
    _check_target(found)
    return {
        "NAME": found.pop("dbname"),
        "USER": found.pop("user", ""),
        "PASSWORD": found.pop("password", ""),
        "HOST": found.pop("host", ""),
        "PORT": found.pop("port", ""),
        "OPTIONS": found,
    }


def parameters(text: str) -> dict[str, Any]:
    """The same address as psycopg's parameters. Raises AddressError."""
    found = read(text)
    about = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return {name: found[key] for name, key in about.items() if found[key]} | found["OPTIONS"]


def count(parameters: Mapping[str, Any]) -> int:
    """How many addresses psycopg's parameters name; 1 for the default one."""
    return len(_listed(parameters, "hostaddr" if parameters.get("hostaddr") else "host"))


def in_order(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """psycopg's parameters with the address first that let this process in last; the others keep their order."""
    ordered = dict(parameters)
    number = count(parameters)
    if number == 1 or _let_us_in is None:
        return ordered
    columns = {part: _listed(parameters, part) for part in _ADDRESS_PARTS if parameters.get(part)}
    # One port may stand for all of them.
    columns = {part: listed * number if len(listed) == 1 else listed for part, listed in columns.items()}
    names = columns.get("host") or columns["hostaddr"]
    ports = columns.get("port") or [""] * number
    first = next((n for n in range(number) if _is_last(names[n], ports[n])), 0)
    for part, listed in columns.items():
        ordered[part] = ",".join([listed[first], *listed[:first], *listed[first + 1 :]])
    return ordered


def note_entry(host: bytes, port: bytes) -> None:
    """This address, as libpq names it, has just let us in."""
    global _let_us_in
    _let_us_in = (host.decode(errors="replace"), port.decode(errors="replace"))


def _is_last(host: str, port: str) -> bool:
    return _let_us_in is not None and host == _let_us_in[0] and (port or "5432") == _let_us_in[1]


def _listed(parameters: Mapping[str, Any], part: str) -> list[str]:
    return str(parameters.get(part) or "").split(",")


def _check_ports(found: dict[str, Any]) -> None:
    ports = _listed(found, "port")
    if any(port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536) for port in ports):
        raise AddressError(f"{_FORM}; a port is a number from 1 to 65535")
    if len(ports) not in (1, count(found)):
        raise AddressError(f"{_FORM}; there is one port for each host, or one for all")


def _check_target(found: dict[str, Any]) -> None:
    target = found.get("target_session_attrs")
    if count(found) == 1:
        allowed: tuple[str, ...] = ("any", *_TAKING_WRITES)
    else:
        allowed = _TAKING_WRITES
        target = found.setdefault("target_session_attrs", _TAKING_WRITES[0])
    if target is not None and target not in allowed:
        raise AddressError(
            f"target_session_attrs={' or '.join(_TAKING_WRITES)} is what it has to be, as everything here is read and"
            " written in one place"
        )
