"""The key and the project of an app, under the name that code for the original client imports."""

from __future__ import annotations

from typing import Optional

from deta.config import read_key


def _get_project_key_id(project_key: Optional[str] = None, project_id: Optional[str] = None) -> tuple[str, str]:
    """The data key of the argument, else of `DETA_PROJECT_KEY`, and the collection's id. Raises InvalidArgument."""
    key = read_key(project_key, project_id)
    return key.text, key.project_id
