"""Files of the command's own: written whole or not at all, and readable by their owner alone where they hold secrets."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

from deta.cli.errors import CliError


def read_object(path: Path, *, advice: str) -> Optional[dict[str, Any]]:
    """The JSON object in a file, None where there is no file. `advice` ends the sentence about one that is damaged.

    Raises CliError.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}") from None
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CliError(f"{path} is damaged: {advice}")
    return value


def write_object(path: Path, value: dict[str, Any], *, is_secret: bool = False) -> None:
    """Store a JSON object, as `write_text` does."""
    write_text(path, json.dumps(value, indent="\t", ensure_ascii=False) + "\n", is_secret=is_secret)


def write_text(path: Path, text: str, *, is_secret: bool = False) -> None:
    """Store a text: a reader sees the old file or the new one. Raises CliError."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if is_secret else 0o777)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # What mkstemp makes is its owner's alone.
        if not is_secret:
            Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise CliError(f"{path} cannot be written: {error.strerror}") from None


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those of these folders that are there and hold nothing; one that holds another comes after it."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
